#include "transport/graph/api.hpp"

#include "config/base/crypto.hpp"
#include "config/base/log.hpp"
#include "transport/http/bodies.hpp"
#include "transport/http/retry_after.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace mailferry::graph {
namespace {

constexpr std::uint32_t unreachable_attempts_max = 3;

/// What failed on the way and may be tried again.
bool is_broken_way(Errc code) {
    return code == Errc::connection_lost || code == Errc::timed_out ||
           code == Errc::protocol_error || code == Errc::unreachable || code == Errc::unavailable;
}

Error cut_error() { return Error{Errc::connection_lost, "the session was cut"}; }

}  // namespace

std::string fresh_guid() {
    std::array<std::uint8_t, 16> bytes{};
    random_bytes(bytes);
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | 0x40);
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);
    auto text = hex(bytes);
    for (auto const at : {8, 13, 18, 23}) text.insert(static_cast<std::size_t>(at), 1, '-');
    return text;
}

/// Makes the sink of each attempt.
struct Api::Sinks {
    ReplyHandler* plain = nullptr;
    http::DrainedHandler* drained = nullptr;
    RefusalHandler refusal = {};
    std::optional<http::JsonSink> sink = {};

    http::JsonSink& renew(std::uint64_t bytes_max) {
        http::JsonLimits limits;
        limits.total_bytes_max = bytes_max;
        refusal.reset();
        if (plain != nullptr) {
            plain->reset();
            sink.emplace(static_cast<http::JsonHandler&>(*plain), refusal, limits);
        } else {
            sink.emplace(*drained, refusal, limits);
        }
        return *sink;
    }
};

Api::Api(std::shared_ptr<App> app)
    : app_(std::move(app)), client_(app_->executor, app_->http), woken_(app_->executor) {}

awaitable<Result<Answer>> Api::call(Call call, ReplyHandler& good) {
    Sinks sinks;
    sinks.plain = &good;
    co_return co_await repeat(std::move(call), sinks);
}

awaitable<Result<Answer>> Api::call(Call call, http::DrainedHandler& good) {
    Sinks sinks;
    sinks.drained = &good;
    co_return co_await repeat(std::move(call), sinks);
}

awaitable<Result<Answer>> Api::repeat(Call call, Sinks& sinks) {
    auto const attempts_max = app_->gate.limits().attempts_max;
    auto url =
        http::parse_url(call.url.starts_with('/') ? app_->addresses.root + call.url : call.url);
    if (!url) co_return url.error();
    auto const where = url->where();
    bool token_renewed = false;
    for (std::uint32_t number = 1;; ++number) {
        auto answer = co_await attempt(call, *url, sinks);
        if (cut_) co_return cut_error();
        if (!answer) {
            auto const code = answer.error().code;
            bool const last = number >= attempts_max || !is_broken_way(code) ||
                              (code == Errc::unreachable && number >= unreachable_attempts_max);
            bool const by_half = call.divisible && code == Errc::timed_out;
            if (last || by_half || sinks.drained != nullptr)
                co_return answer.error().in(call.method + " " + where);
            if (!co_await pause_before(number)) co_return cut_error();
            continue;
        }
        auto const status = answer->status;
        if (status == 401) {
            if (std::exchange(token_renewed, true)) co_return answer;
            continue;
        }
        bool const by_half = call.divisible && (status == 413 || status == 504);
        if (answer->good() || by_half || !is_transient(answer->refusal)) co_return answer;
        if (number >= attempts_max)
            co_return error_of(answer->refusal, Subject::mailbox, call.method + " " + where);
        // The limiters hold back what comes after a 429, 503 or 504.
        bool const limited = status == 429 || status == 503 || status == 504;
        if (!limited && !co_await pause_before(number)) co_return cut_error();
    }
}

awaitable<Result<Answer>> Api::attempt(Call const& call, http::Url url, Sinks& sinks) {
    // Renewed before the place is taken; asked for again behind what may have been a long wait.
    auto const early = co_await token();
    if (!early) co_return early.error();
    auto pass = co_await enter(call.body.size());
    if (!pass) co_return pass.error();
    auto const bearer = co_await token();
    if (!bearer) co_return bearer.error();

    http::TextBody body(call.body);
    http::Request request;
    request.method = call.method;
    request.url = std::move(url);
    request.bearer = *bearer;
    request.headers.push_back({"Accept", "application/json"});
    request.headers.push_back({"client-request-id", fresh_guid()});
    auto prefer = std::string(prefer_ids);
    if (!call.prefer.empty()) prefer.append(", ").append(call.prefer);
    request.headers.push_back({"Prefer", std::move(prefer)});
    if (!call.body.empty()) {
        request.headers.push_back({"Content-Type", "application/json"});
        request.body = &body;
    } else if (call.method == "POST") {
        request.body = &body;
    }
    request.secret_answer = call.secret_answer;
    request.first_byte_limit = call.first_byte_limit;
    request.response_bytes_max = call.response_bytes_max;
    auto const where = request.url.where();
    auto& sink = sinks.renew(call.response_bytes_max);
    auto const head = co_await client_.send(std::move(request), sink);
    if (!head) co_return head.error();

    Answer answer;
    answer.status = head->status;
    if (!answer.good()) {
        answer.refusal.code = sinks.refusal.code;
        answer.refusal.inner_code = sinks.refusal.inner_code;
        answer.refusal.message =
            sinks.refusal.message.empty() ? sink.excerpt() : sinks.refusal.message;
    }
    heed(*pass, *head, answer.refusal, where);
    if (head->status == 401) app_->tokens->reject(*bearer);
    co_return answer;
}

awaitable<Result<Gate::Pass>> Api::enter(std::uint64_t upload_bytes) {
    if (cut_) co_return cut_error();
    auto pass = co_await app_->gate.enter(mailbox_, upload_bytes, cut_);
    if (!pass) co_return cut_error();
    co_return std::move(*pass);
}

awaitable<Result<std::shared_ptr<Secret const>>> Api::token() {
    co_return co_await app_->tokens->token(app_->addresses.scope);
}

void Api::heed(Gate::Pass& pass, http::ResponseHead const& head, Refusal& refusal,
               std::string_view what) {
    if (!(head.status >= 200 && head.status < 300)) refusal.status = head.status;
    Notice notice;
    notice.verdict = verdict_of(head, refusal);
    notice.retry_after = http::retry_after(head, app_->clock.now());
    refusal.retry_after = notice.retry_after;
    pass.heed(notice);
    if (notice.verdict == Verdict::taken) return;
    auto const* const id = head.find("request-id");
    log::info("held back by the service",
              {{"app", app_->client_id},
               {"mailbox", mailbox_},
               {"request", what},
               {"status", head.status},
               {"code", refusal.code},
               {"retry_after", notice.retry_after.value_or(std::chrono::milliseconds(0))},
               {"request_id", id == nullptr ? std::string() : *id}});
}

awaitable<bool> Api::pause_before(std::uint32_t attempt) {
    auto const& limits = app_->gate.limits();
    auto const doubled = limits.backoff_first * (1u << std::min(attempt - 1, 16u));
    auto const end = app_->clock.steady() + std::min(limits.backoff_max, doubled);
    while (!cut_) {
        auto const left = end - app_->clock.steady();
        if (left <= left.zero()) co_return true;
        co_await woken_.wait_for(std::chrono::ceil<std::chrono::milliseconds>(left));
    }
    co_return false;
}

void Api::cut() {
    if (std::exchange(cut_, true)) return;
    client_.cut();
    woken_.notify_all();
    app_->gate.wake();
}

}  // namespace mailferry::graph
