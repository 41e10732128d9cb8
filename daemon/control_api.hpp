#pragma once

/// The control API: routes to handlers, values in and out, no socket. docs/openapi.yaml describes
/// it.
///
/// Runs on the engine's executor, so that a handler sees and changes the engine between two of its
/// steps. Every acting request leaves one log line with the caller and the outcome.

#include "daemon/engine_view.hpp"
#include "daemon/report.hpp"

#include <boost/json/object.hpp>

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::daemon {

/// What a caller may do.
enum class Access { none, view, act };

struct ControlRequest {
    std::string method;  ///< "GET", "POST"
    std::string target;  ///< "/v1/mailboxes?state=failed"
    Access access = Access::none;
    std::string caller;  ///< "uid=1000 pid=4711", for the log.
};

struct ControlResponse {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::optional<int> exit_status = {};  ///< Of a report; sent as Mailferry-Exit-Status.
};

/// How one failure is told: {"error":{"code","message","cure"}}.
ControlResponse control_error(unsigned status, std::string_view code, std::string_view message,
                              std::string_view cure);

/// One mailbox list holds at most this many.
inline constexpr std::size_t mailboxes_page_max = 1'000;
/// One answer of /v1/items holds at most this many.
inline constexpr std::size_t items_page_max = 10'000;

class ControlApi {
public:
    using MakeReport = std::function<awaitable<Result<Report>>()>;

    /// `engine` must outlive the API.
    ControlApi(EngineControl& engine, MakeReport make_report)
        : engine_(engine), make_report_(std::move(make_report)) {}

    awaitable<ControlResponse> handle(ControlRequest request);

    struct Route {
        std::string_view method, path;  ///< "{x}" stands for one percent-encoded segment.
    };
    static std::span<Route const> routes();

private:
    struct Call;
    using Handler = awaitable<ControlResponse> (ControlApi::*)(Call call);
    struct Entry;
    static std::span<Entry const> entries();

    awaitable<ControlResponse> dispatch(ControlRequest const& request);

    awaitable<ControlResponse> get_status(Call call);
    awaitable<ControlResponse> get_passes(Call call);
    awaitable<ControlResponse> get_mailboxes(Call call);
    awaitable<ControlResponse> get_mailbox(Call call);
    awaitable<ControlResponse> get_items(Call call);
    awaitable<ControlResponse> get_report(Call call);
    awaitable<ControlResponse> get_limits(Call call);
    awaitable<ControlResponse> post_pass(Call call);
    awaitable<ControlResponse> post_retry(Call call);
    awaitable<ControlResponse> post_reload(Call call);
    awaitable<ControlResponse> post_shutdown(Call call);

    EngineControl& engine_;
    MakeReport const make_report_;
};

}  // namespace mailferry::daemon
