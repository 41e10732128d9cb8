#pragma once

/// The address that items are stored through. It carries its own right, so it is as secret as a
/// token: it lives in memory only, and in nothing that is printed (brief, 2.6).

#include "transport/graph/api.hpp"

#include <memory>
#include <string>

namespace mailferry::graph {

struct ImportSession {
    http::Url url;
    SteadyTime renew_at;
};

/// Makes one when asked and none is good; shares it among all uploads of a session.
class ImportSessions {
public:
    explicit ImportSessions(Api& api) : api_(api), one_at_a_time_(api.app().executor) {}

    void forget() { current_.reset(); }
    awaitable<Result<std::shared_ptr<ImportSession const>>> get(std::string mailbox_id);
    /// The server refused it: get() won't hand it out again.
    void reject(std::shared_ptr<ImportSession const> const& session);

private:
    bool is_good() const;

    Api& api_;
    AsyncMutex one_at_a_time_;
    std::shared_ptr<ImportSession const> current_;
};

/// Reads the answer of createImportSession. The address never becomes a plain string.
class ImportSessionReader final : public ReplyHandler {
public:
    void reset() override;
    Result<void> text(http::JsonPath path, std::string_view value) override;
    std::optional<http::Url> url;
    std::optional<std::int64_t> expires;  ///< Unix seconds.
};

/// 80 % of a life that ends at `expires`, from `now`. A clock that is wrong, or no date at all,
/// gives a minute: the server's refusal counts in the end.
std::chrono::milliseconds use_for(std::optional<std::int64_t> expires,
                                  std::chrono::system_clock::time_point now);

}  // namespace mailferry::graph
