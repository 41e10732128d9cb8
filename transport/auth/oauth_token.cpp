#include "transport/auth/oauth_token.hpp"

#include "async/event.hpp"
#include "config/base/assert.hpp"
#include "transport/auth/oauth_answer.hpp"
#include "transport/http/bodies.hpp"
#include "transport/http/json_sink.hpp"
#include "transport/http/retry_after.hpp"

#include <string.h>

#include <algorithm>
#include <map>
#include <optional>

namespace mailferry::oauth {
namespace {

using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

constexpr std::chrono::minutes renewal_lead{5};
constexpr std::uint64_t answer_bytes_max = 128 * 1024;
constexpr milliseconds answer_limit{30'000};

bool is_transient(Errc code) {
    switch (code) {
    case Errc::connection_lost:
    case Errc::timed_out:
    case Errc::throttled:
    case Errc::unavailable:
    case Errc::unreachable: return true;
    default: return false;
    }
}

/// `name=value&...` (application/x-www-form-urlencoded) that never stands outside of a Secret.
class Form {
public:
    explicit Form(std::size_t value_bytes) : text_(Secret::zeroed(512 + 3 * value_bytes)) {}
    void add(std::string_view name, std::string_view value) {
        auto encoded = http::percent_encoded(value);
        if (used_ > 0) append("&");
        append(name);
        append("=");
        append(encoded);
        ::explicit_bzero(encoded.data(), encoded.size());
    }
    Secret take() {
        text_.shrink(used_);
        return std::move(text_);
    }

private:
    void append(std::string_view part) {
        MAILFERRY_ASSERT(part.size() <= text_.size() - used_);
        std::copy(part.begin(), part.end(), text_.writable().begin() + used_);
        used_ += part.size();
    }
    Secret text_;
    std::size_t used_ = 0;
};

/// The token of one scope. Times are the injected clock's.
struct Entry {
    std::shared_ptr<Secret const> token;  ///< Null: none yet, or rejected.
    steady::time_point ends, renew_at;
    std::optional<Error> failure;  ///< Of the last renewal.
    steady::time_point failure_kept_until;
    bool renewing = false;
    std::uint64_t renewals = 0;  ///< That have ended.
};

}  // namespace

struct TokenSource::State {
    State(asio::any_io_executor with, Clock const& time, std::shared_ptr<http::Client> http_client,
          AppRegistration registration, TokenLimits wanted)
        : executor(std::move(with)),
          clock(time),
          client(std::move(http_client)),
          app(std::move(registration)),
          limits(wanted),
          changed(executor),
          gone(executor) {
        auto authority = std::string_view(app.authority);
        while (authority.ends_with('/')) authority.remove_suffix(1);
        endpoint = std::string(authority) + "/" + http::percent_encoded(app.tenant_id) +
                   "/oauth2/v2.0/token";
    }

    Secret form(std::string_view scope) const;
    std::optional<Error> expired_certificate() const;
    std::chrono::sys_seconds service_now() const {
        return std::chrono::floor<std::chrono::seconds>(clock.now() + clock_offset);
    }

    asio::any_io_executor executor;
    Clock const& clock;
    std::shared_ptr<http::Client> client;
    AppRegistration const app;
    TokenLimits const limits;
    std::string endpoint;
    std::chrono::seconds clock_offset{0};  ///< What to add to our clock to get the service's.
    std::map<std::string, Entry> entries;  ///< By scope.
    ::mailferry::Event changed;            ///< A renewal has ended.
    ::mailferry::Event gone;               ///< The source is being destroyed.
    bool is_gone = false;
};

Secret TokenSource::State::form(std::string_view scope) const {
    auto proof = app.certificate ? app.certificate->sign(endpoint, app.client_id, service_now())
                                 : Secret(app.secret->reveal());
    Form form(app.client_id.size() + scope.size() + proof.size());
    form.add("grant_type", "client_credentials");
    form.add("client_id", app.client_id);
    form.add("scope", scope);
    if (app.certificate) {
        form.add("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        form.add("client_assertion", proof.reveal());
    } else {
        form.add("client_secret", proof.reveal());
    }
    return form.take();
}

std::optional<Error> TokenSource::State::expired_certificate() const {
    if (!app.certificate || app.certificate->not_after() > service_now()) return std::nullopt;
    return Error{Errc::login_refused,
                 "the certificate with thumbprint " + app.certificate->thumbprint() +
                     " has expired; make a new one and upload it at the app registration"};
}

namespace {

using State = TokenSource::State;

/// What one request tells beside its answer.
struct Asked {
    steady::time_point at;      ///< A token's life begins no later.
    bool clock_blamed = false;  ///< Clocks differ; the next try goes by the service's.
};

awaitable<Result<GrantReader::Grant>> ask(std::shared_ptr<State> state, std::string scope,
                                          Asked& asked) {
    asked = {state->clock.steady()};
    if (auto const expired = state->expired_certificate()) co_return *expired;
    auto const url = http::parse_url(state->endpoint);
    if (!url) co_return Error{Errc::invalid_config, "authority: " + url.error().context};
    http::SecretBody body(state->form(scope));
    http::Request request;
    request.method = "POST";
    request.url = *url;
    request.headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
    request.headers.push_back({"Accept", "application/json"});
    request.body = &body;
    request.secret_answer = true;
    request.first_byte_limit = request.idle_limit = answer_limit;
    request.response_bytes_max = answer_bytes_max;
    GrantReader grant;
    RefusalReader refusal;
    http::JsonSink sink(grant, refusal);
    auto const head = co_await state->client->send(std::move(request), sink);
    if (!head) co_return head.error();
    if (head->good()) co_return grant.take();
    auto error = refusal.error(head->status);
    error.retry_after = http::retry_after(*head, state->clock.now());
    if (refusal.blames_clock())
        if (auto const* const date = head->find("Date"))
            if (auto const now = http::parse_date(*date)) {
                state->clock_offset =
                    std::chrono::round<std::chrono::seconds>(*now - state->clock.now());
                asked.clock_blamed = true;
            }
    co_return error;
}

/// Asks until there is a token or it makes no sense to go on.
awaitable<Result<GrantReader::Grant>> ask_patiently(std::shared_ptr<State> state, std::string scope,
                                                    Asked& asked) {
    auto const& limits = state->limits;
    auto back_off = limits.back_off_first;
    bool clock_set = false;
    for (int attempt = 1;; ++attempt) {
        auto answer = co_await ask(state, scope, asked);
        if (answer) co_return answer;
        if (asked.clock_blamed && !std::exchange(clock_set, true)) continue;
        auto const& error = answer.error();
        auto const wait = std::max(error.retry_after.value_or(milliseconds(0)), back_off);
        if (!is_transient(error.code) || attempt >= limits.attempts_max || wait > limits.wait_max)
            co_return answer;
        co_await state->gone.wait_for(wait);
        if (state->is_gone) co_return answer;
        back_off = std::min(2 * back_off, limits.back_off_max);
    }
}

awaitable<void> renew(std::shared_ptr<State> state, std::string scope) {
    Asked asked;
    auto answer = co_await ask_patiently(state, scope, asked);
    auto& entry = state->entries[scope];
    if (answer) {
        auto const life = std::chrono::duration_cast<milliseconds>(answer->life);
        entry.token = std::make_shared<Secret const>(std::move(answer->token));
        entry.ends = asked.at + life;
        entry.renew_at = asked.at + std::max<milliseconds>(life * 4 / 5, life - renewal_lead);
        entry.failure.reset();
    } else {
        auto const& error = answer.error();
        entry.failure = error.in("client_id=" + state->app.client_id +
                                 " tenant_id=" + state->app.tenant_id + ": token for " + scope);
        auto const kept = is_transient(error.code) ? error.retry_after.value_or(milliseconds(0))
                                                   : state->limits.refusal_kept;
        entry.failure_kept_until = state->clock.steady() + kept;
    }
    entry.renewing = false;
    ++entry.renewals;
    state->changed.notify_all();
}

void begin_renewal(std::shared_ptr<State> const& state, std::string const& scope) {
    if (std::exchange(state->entries[scope].renewing, true)) return;
    asio::co_spawn(state->executor, renew(state, scope), asio::detached);
}

}  // namespace

TokenSource::TokenSource(asio::any_io_executor executor, Clock const& clock,
                         std::shared_ptr<http::Client> client, AppRegistration app,
                         TokenLimits limits)
    : state_(std::make_shared<State>(std::move(executor), clock, std::move(client), std::move(app),
                                     limits)) {
    MAILFERRY_ASSERT((state_->app.secret != nullptr) != (state_->app.certificate != nullptr));
}

TokenSource::~TokenSource() {
    state_->is_gone = true;
    state_->gone.notify_all();
}

awaitable<Result<std::shared_ptr<Secret const>>> TokenSource::token(std::string scope) {
    auto const state = state_;
    auto& entry = state->entries[scope];
    for (;;) {
        auto const now = state->clock.steady();
        auto const failed_lately = entry.failure && now < entry.failure_kept_until;
        if (entry.token && now < entry.ends) {
            auto const present = entry.token;
            if (now >= entry.renew_at && !failed_lately) begin_renewal(state, scope);
            co_return present;
        }
        if (failed_lately) {
            auto error = *entry.failure;
            auto const left = std::chrono::ceil<milliseconds>(entry.failure_kept_until - now);
            if (error.retry_after) error.retry_after = left;
            co_return error;
        }
        // Counted first: a renewal may end before begin_renewal() returns.
        auto const before = entry.renewals;
        begin_renewal(state, scope);
        while (entry.renewals == before) co_await state->changed.wait();
        if (entry.failure) co_return *entry.failure;
        // However short its life is, this caller waited for it. Null: rejected in that moment.
        if (entry.token) co_return entry.token;
    }
}

void TokenSource::reject(std::shared_ptr<Secret const> const& token) {
    for (auto& [scope, entry] : state_->entries)
        if (entry.token == token) entry.token.reset();
}

std::string const& TokenSource::client_id() const { return state_->app.client_id; }

}  // namespace mailferry::oauth
