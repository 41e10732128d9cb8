#pragma once

/// The requests of one session: each waits for its limits, carries a token, is repeated while that
/// may help, and ends in an answer or in an error that says what next.

#include "transport/graph/app.hpp"
#include "transport/graph/refusal.hpp"
#include "transport/graph/resources.hpp"
#include "transport/http/json_sink.hpp"

#include <memory>
#include <string>

namespace mailferry::graph {

/// One request to the API itself; repeating it does no harm.
struct Call {
    std::string method = "GET";
    std::string url;          ///< Absolute, or beginning with a slash: below the API's root.
    std::string prefer = {};  ///< Beyond the form of ids.
    std::string body = {};    ///< JSON; "": none.
    bool secret_answer = false;
    std::chrono::milliseconds first_byte_limit{120'000};
    std::uint64_t response_bytes_max = 64ULL << 20;
    /// Hand on at once what half of the request might cure: 413, 504, time over.
    bool divisible = false;
};

struct Answer {
    int status = 0;
    Refusal refusal;  ///< Of a status that isn't 2xx.
    bool good() const { return status >= 200 && status < 300; }
};

class Api {
public:
    explicit Api(std::shared_ptr<App> app);

    App& app() { return *app_; }
    Gate& gate() { return app_->gate; }
    http::Client& client() { return client_; }
    /// Whom the limits count for from now on.
    void act_for(std::string mailbox) { mailbox_ = std::move(mailbox); }
    std::string const& mailbox() const { return mailbox_; }

    /// A good answer has been fed to `good`, which outlives the call. Refusals that repeating
    /// can't cure are answers, too. Errors: throttled and unavailable when all attempts are spent,
    /// login_refused, and those of http::Client.
    awaitable<Result<Answer>> call(Call call, ReplyHandler& good);
    /// The same with a handler that is drained. As it may have used a part of an answer, what broke
    /// on the way isn't repeated.
    awaitable<Result<Answer>> call(Call call, http::DrainedHandler& good);

    /// Sleeps before another attempt; false if the session was cut meanwhile.
    awaitable<bool> pause_before(std::uint32_t attempt);
    /// Error for a session that was cut, or what a pass waits for.
    awaitable<Result<Gate::Pass>> enter(std::uint64_t upload_bytes);
    awaitable<Result<std::shared_ptr<Secret const>>> token();
    /// Tells limits and log how a request was taken.
    void heed(Gate::Pass& pass, http::ResponseHead const& head, Refusal& refusal,
              std::string_view what);

    void cut();
    void close() { client_.close(); }
    bool alive() const { return !cut_; }
    /// A ping: there is no connection that could have ended unnoticed.
    Result<void> living() const {
        if (cut_) return Error{Errc::connection_lost, "the session was cut"};
        return {};
    }

private:
    struct Sinks;
    struct Attempt;
    awaitable<Result<Answer>> repeat(Call call, Sinks& sinks);
    awaitable<Result<Answer>> attempt(Call const& call, http::Url url, Sinks& sinks);

    std::shared_ptr<App> const app_;
    http::Client client_;
    std::string mailbox_;
    bool cut_ = false;
    Event woken_;
};

/// A fresh GUID, as client-request-id wants it.
std::string fresh_guid();
/// Every request of a job names the same form of ids: one that survives moves.
inline constexpr std::string_view prefer_ids = "IdType=\"ImmutableId\"";

}  // namespace mailferry::graph
