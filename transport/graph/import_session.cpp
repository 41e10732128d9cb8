#include "transport/graph/import_session.hpp"

#include "transport/graph/paths.hpp"
#include "transport/graph/properties.hpp"

namespace mailferry::graph {
namespace {

constexpr std::chrono::milliseconds life_unknown{60'000};

}  // namespace

void ImportSessionReader::reset() {
    url.reset();
    expires.reset();
}

Result<void> ImportSessionReader::text(http::JsonPath path, std::string_view value) {
    if (path == "/expirationDateTime") expires = instant_of(value);
    if (path != "/importUrl") return {};
    auto parsed = http::parse_url(value);
    if (!parsed) return parsed.error().in("importUrl");
    url = std::move(*parsed);
    return {};
}

std::chrono::milliseconds use_for(std::optional<std::int64_t> expires,
                                  std::chrono::system_clock::time_point now) {
    if (!expires) return life_unknown;
    auto const end = std::chrono::sys_seconds(std::chrono::seconds(*expires));
    auto const life = std::chrono::duration_cast<std::chrono::milliseconds>(end - now);
    return life <= life.zero() ? life_unknown : life / 5 * 4;
}

bool ImportSessions::is_good() const {
    return current_ != nullptr && api_.app().clock.steady() < current_->renew_at;
}

awaitable<Result<std::shared_ptr<ImportSession const>>> ImportSessions::get(
    std::string mailbox_id) {
    auto const alone = co_await one_at_a_time_.lock();
    if (is_good()) co_return current_;
    auto const asked = api_.app().clock.steady();
    ImportSessionReader reader;
    Call call;
    call.method = "POST";
    call.url = paths::mailbox(mailbox_id) + "/createImportSession";
    call.secret_answer = true;
    auto const answer = co_await api_.call(std::move(call), reader);
    if (!answer) co_return answer.error();
    if (!answer->good()) {
        auto error = error_of(answer->refusal, Subject::target_item, "opening an import session");
        // It concerns no single item.
        if (disposition_of(error.code) == Disposition::skip_item)
            error.code = Errc::mailbox_refused;
        co_return error;
    }
    if (!reader.url)
        co_return Error{Errc::protocol_error, "the answer to createImportSession has no address"};
    auto session = std::make_shared<ImportSession>();
    session->url = std::move(*reader.url);
    session->renew_at = asked + use_for(reader.expires, api_.app().clock.now());
    current_ = std::move(session);
    co_return current_;
}

void ImportSessions::reject(std::shared_ptr<ImportSession const> const& session) {
    if (current_ == session) current_.reset();
}

}  // namespace mailferry::graph
