#include "transport/imap/link.hpp"

#include "config/base/assert.hpp"
#include "config/secret_source.hpp"
#include "transport/imap/access_token.hpp"
#include "transport/imap/flags.hpp"
#include "transport/imap/folder_name.hpp"
#include "transport/imap/server_error.hpp"

#include <utility>

namespace mailferry::imap {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds goodbye_limit{2'000};
/// Whoever renews a token that has worked gets so long for it, and is looked for so often.
constexpr std::chrono::minutes token_patience{10};
constexpr std::chrono::milliseconds token_look_interval{10'000};
/// A refused password is taken to be wrong still for so long; who mends it at the server has time
/// for that before the next try.
constexpr std::chrono::seconds refusal_kept{60};

/// Reads what EXAMINE and SELECT say (RFC 3501 6.3.1, RFC 7162 3.1.2).
bool take(Selection& selection, imap::Event& event) {
    if (auto const* const exists = std::get_if<Exists>(&event)) {
        selection.exists = exists->messages;
        return true;
    }
    if (auto const* const untagged = std::get_if<Untagged>(&event)) {
        if (!untagged->status.code) return true;
        auto const& code = *untagged->status.code;
        if (auto const value = code.uidvalidity()) selection.uidvalidity = value;
        if (auto const value = code.uidnext()) selection.uidnext = value;
        if (auto const value = code.highestmodseq()) selection.highestmodseq = value;
        if (auto value = code.permanent_flags()) selection.permanent_flags = std::move(value);
        return true;
    }
    return std::holds_alternative<imap::Flags>(event) || std::holds_alternative<Recent>(event);
}

}  // namespace

Link::Link(asio::any_io_executor executor, std::shared_ptr<LinkSettings> settings, Side side)
    : executor_(std::move(executor)), settings_(std::move(settings)), side_(side) {}

Link::~Link() { cut(); }

awaitable<Result<void>> Link::connect() {
    auto stream = co_await settings_->dial();
    if (!stream) co_return stream.error();
    auto begin = Connection::Begin::greeting;
    if (settings_->tenant.tls == config::Tls::starttls) {
        auto const secured = co_await start_tls(**stream);
        if (!secured) co_return secured.error().in("STARTTLS");
        begin = Connection::Begin::response;
    }
    connection_ = Connection::start(executor_, std::move(*stream), begin);
    facts_ = {};
    namespaces_ = {};
    selection_.reset();
    mailbox_.clear();
    compressed_ = false;
    Result<void> met;
    if (begin == Connection::Begin::greeting)
        met = co_await meet(*connection_, facts_);
    else
        met = co_await ask_capabilities(*connection_, facts_);
    if (!met) cut();
    co_return met;
}

Error Link::dead() const {
    if (connection_ && connection_->failure()) return *connection_->failure();
    return {Errc::connection_lost, "not connected"};
}

awaitable<Result<void>> Link::open(transport::OpenMailbox request) {
    if (!alive()) co_return dead();
    if (request.mailbox == mailbox_) co_return Result<void>{};
    if (!mailbox_.empty()) {
        auto const signed_out = co_await sign_out();
        if (!signed_out) co_return signed_out.error();
        if (!*signed_out) {
            co_await close();
            auto const connected = co_await connect();
            if (!connected) co_return connected.error();
        }
    }
    auto const signed_in = co_await sign_in(request);
    if (signed_in.refused) {
        auto const reason =
            co_await blame(*signed_in.refused, signed_in.names_credential, request.mailbox);
        connection_->fail(reason);
        co_return reason.in("mailbox=" + request.mailbox);
    }
    auto const introduced = co_await introduce();
    if (!introduced) {
        connection_->fail(introduced.error());
        co_return introduced.error().in("mailbox=" + request.mailbox);
    }
    mailbox_ = request.mailbox;
    settings_->history.opened(mailbox_, steady::now());
    co_return Result<void>{};
}

awaitable<SignIn> Link::sign_in(transport::OpenMailbox request) {
    auto const& admin = settings_->admin;
    Credentials credentials;
    credentials.auth = admin.auth;
    credentials.mailbox = request.mailbox;
    credentials.admin = admin.user;
    credentials.master_separator = settings_->tenant.master_separator;
    credentials.secret = settings_->secret.reveal();
    if (settings_->tokens) co_return co_await sign_in_as_app(credentials);
    if (admin.auth == config::Auth::user) {
        if (request.own_password == nullptr) {
            SignIn outcome;
            outcome.refused =
                Error{Errc::mailbox_refused, "the mapping has no password for this mailbox"};
            co_return outcome;
        }
        credentials.secret = request.own_password->reveal();
        co_return co_await sign_in_by_own_password(credentials);
    }
    if (admin.auth == config::Auth::xoauth2 && !admin.password.empty())
        co_return co_await sign_in_by_token(credentials);
    co_return co_await send_credentials(credentials);
}

awaitable<SignIn> Link::sign_in_by_own_password(Credentials credentials) {
    auto& refused = settings_->refused_passwords;
    auto const now = steady::now();
    std::erase_if(refused, [&](auto const& entry) { return now - entry.second.at > refusal_kept; });
    std::string const mailbox(credentials.mailbox);
    auto const known = refused.find(mailbox);
    SignIn outcome;
    if (known != refused.end() && known->second.secret.reveal() == credentials.secret) {
        outcome.refused = Error{Errc::login_refused, "its password was refused a moment ago"};
        co_return outcome;
    }
    outcome = co_await send_credentials(credentials);
    if (outcome.refused && outcome.refused->code == Errc::login_refused) {
        auto& entry = refused[mailbox];
        entry.secret = Secret(credentials.secret);
        entry.at = steady::now();
    }
    co_return outcome;
}

/// A token lives for an hour: whoever renews it writes it where we read it.
awaitable<SignIn> Link::sign_in_by_token(Credentials credentials) {
    auto outcome = co_await try_token(credentials);
    if (!outcome.refused || outcome.refused->code != Errc::login_refused || sent_token_.empty())
        co_return outcome;
    // Renewed between our reading and the server's? Then once more, with the new one.
    auto const again = config::read_secret(settings_->admin.password);
    if (!again || again->reveal() == sent_token_.reveal()) co_return outcome;
    co_await close();
    auto const connected = co_await connect();
    if (!connected) {
        outcome.refused = connected.error();
        co_return outcome;
    }
    co_return co_await try_token(credentials);
}

/// By the app's own token. One that is refused may have been revoked: once more, with a new one.
awaitable<SignIn> Link::sign_in_as_app(Credentials credentials) {
    credentials.auth = config::Auth::xoauth2;
    SignIn outcome;
    for (;;) {
        auto const token = co_await settings_->tokens->token(settings_->token_scope);
        if (!token) {
            outcome.refused = token.error();
            outcome.names_credential = true;
            co_return outcome;
        }
        credentials.secret = (*token)->reveal();
        outcome = co_await send_credentials(credentials);
        auto& renewed = settings_->renewed_token;
        if (!outcome.refused || outcome.refused->code != Errc::login_refused || *token == renewed)
            co_return outcome;
        settings_->tokens->reject(*token);
        auto const fresh = co_await settings_->tokens->token(settings_->token_scope);
        if (!fresh) co_return outcome;
        renewed = *fresh;
        co_await close();
        auto const connected = co_await connect();
        if (!connected) {
            outcome.refused = connected.error();
            co_return outcome;
        }
    }
}

awaitable<SignIn> Link::try_token(Credentials credentials) {
    sent_token_ = Secret();
    SignIn outcome;
    auto token = config::read_secret(settings_->admin.password);
    if (!token) {
        outcome.refused = token.error();
        outcome.names_credential = true;
        co_return outcome;
    }
    auto const now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    auto const description = describe_token(settings_->admin.password, token->reveal(), now);
    auto const& refused = settings_->refused_token;
    if (!refused.secret.empty() && refused.secret.reveal() == token->reveal() &&
        steady::now() - refused.at < token_patience) {
        outcome.refused = wait_for_token(
            {Errc::login_refused, description + " was refused before and is still the same"});
        outcome.names_credential = true;
        co_return outcome;
    }
    sent_token_ = std::move(*token);
    credentials.secret = sent_token_.reveal();
    outcome = co_await send_credentials(credentials);
    if (!outcome.refused || outcome.refused->code != Errc::login_refused) co_return outcome;
    outcome.refused = outcome.refused->in(description + " was refused");
    auto const expiry = token_expiry(sent_token_.reveal());
    outcome.names_credential = expiry && *expiry <= now;
    co_return outcome;
}

/// A token that has worked and is refused now has ended: somebody is about to renew it.
Error Link::wait_for_token(Error refused) const {
    if (!settings_->history.has_opened()) return refused;
    if (steady::now() - settings_->refused_token.since >= token_patience) return refused;
    refused.code = Errc::unavailable;
    refused.retry_after = token_look_interval;
    return refused.in("waiting for a fresh token");
}

awaitable<SignIn> Link::send_credentials(Credentials credentials) {
    auto const now = steady::now();
    auto const due = settings_->pace.take(now, settings_->admin.logins_per_second);
    if (due > now) {
        asio::steady_timer timer(executor_, due);
        co_await timer.async_wait(asio::use_awaitable);
    }
    if (!alive()) {
        SignIn outcome;
        outcome.refused = dead();
        co_return outcome;
    }
    co_return co_await authenticate(*connection_, facts_, credentials);
}

/// What both sides should know of each other, in one flight.
awaitable<Result<void>> Link::introduce() {
    if (settings_->tenant.compress && facts_.has("COMPRESS=DEFLATE") && !compressed_) {
        auto const turn = co_await connection_->turn();
        auto const status = co_await connection_->run_compress();
        if (!status) co_return status.error();
        compressed_ = status->kind == StatusKind::ok;
    }
    auto const hear = [this](imap::Event& event) {
        if (auto const* const id = std::get_if<Id>(&event)) {
            auto const name = id->value("name");
            if (!name.empty()) facts_.set_name(std::string(name));
        } else if (auto* const spaces = std::get_if<Namespace>(&event)) {
            namespaces_ = std::move(*spaces);
        } else if (auto const* const enabled = std::get_if<Enabled>(&event)) {
            facts_.utf8 = contains_flag(enabled->names, "UTF8=ACCEPT");
        } else {
            return false;
        }
        return true;
    };
    std::string enable;
    if (side_ == Side::source && facts_.has("ENABLE")) {
        if (facts_.has("CONDSTORE")) enable += " CONDSTORE";
        if (facts_.has("UTF8=ACCEPT")) enable += " UTF8=ACCEPT";
    }
    std::vector<std::string> lines;
    if (facts_.has("ID")) lines.push_back(" ID (\"name\" \"mailferry\")");
    if (!enable.empty()) lines.push_back(" ENABLE" + enable);
    if (facts_.has("NAMESPACE")) lines.push_back(" NAMESPACE");
    std::vector<CommandTicket> tickets;
    auto turn = co_await connection_->turn();
    for (auto const& line : lines) {
        auto built = std::move(command().text(line)).finish();
        auto ticket = co_await connection_->send(std::move(*built), hear);
        if (!ticket) co_return ticket.error();
        tickets.push_back(std::move(*ticket));
    }
    turn.release();
    for (auto const& ticket : tickets) {
        // A server that refuses one of them is served without it.
        auto const status = co_await connection_->answer(ticket);
        if (!status) co_return status.error();
    }
    if (facts_.quirks.needs_quick_ack) connection_->acknowledge_at_once();
    co_return Result<void>{};
}

/// True: the connection may sign in anew. False: another one is needed.
awaitable<Result<bool>> Link::sign_out() {
    // RFC 8437 leaves open what becomes of a compressed stream.
    if (!facts_.has("UNAUTHENTICATE") || compressed_) co_return false;
    auto built = std::move(command().text(" UNAUTHENTICATE")).finish();
    auto const status = co_await connection_->run(std::move(*built));
    if (!status || status->kind != StatusKind::ok) co_return false;
    mailbox_.clear();
    selection_.reset();
    facts_.utf8 = false;
    auto const asked = co_await ask_capabilities(*connection_, facts_);
    if (!asked) co_return asked.error();
    co_return true;
}

/// Finds out what a refused sign-in is about, by a further login only where there is no other way.
awaitable<Error> Link::blame(Error refused, bool names_credential, std::string mailbox) {
    using Meaning = AdminHistory::Meaning;
    auto& history = settings_->history;
    auto const has_admin = settings_->admin.auth != config::Auth::user;
    auto const now = steady::now();
    auto meaning = Meaning::later;
    auto const by_token = settings_->admin.auth == config::Auth::xoauth2;
    if (refused.code == Errc::login_refused && has_admin)
        meaning = by_token && names_credential ? Meaning::credential
                                               : history.refused(mailbox, names_credential, now);
    else if (refused.code == Errc::unavailable && !names_credential)
        meaning = history.unavailable(mailbox, now);
    if (meaning == Meaning::ask_anew && !has_admin) meaning = Meaning::later;
    if (meaning == Meaning::ask_anew) {
        auto const opens = co_await still_opens(history.good_mailbox());
        auto const otherwise =
            refused.code == Errc::unavailable ? Meaning::later : Meaning::credential;
        meaning = opens ? Meaning::mailbox : otherwise;
    }
    if (meaning == Meaning::mailbox) {
        refused.code = Errc::mailbox_refused;
        refused.retry_after.reset();
        refused =
            refused.in(history.has_opened()
                           ? "the admin can open others"
                           : "bad credentials or an unknown mailbox, the server doesn't tell");
    }
    if (meaning == Meaning::credential && by_token && !sent_token_.empty()) {
        auto& entry = settings_->refused_token;
        if (entry.secret.reveal() != sent_token_.reveal()) entry.since = now;
        entry.secret = std::move(sent_token_);
        entry.at = now;
        refused = wait_for_token(std::move(refused));
    }
    co_return refused;
}

awaitable<bool> Link::still_opens(std::string mailbox) {
    Link probe(executor_, settings_, side_);
    auto const connected = co_await probe.connect();
    if (!connected) co_return false;
    transport::OpenMailbox request;
    request.mailbox = std::move(mailbox);
    auto const outcome = co_await probe.sign_in(request);
    co_await probe.close();
    co_return !outcome.refused;
}

std::string Link::wire_name(std::string_view folder_id) const {
    return imap::wire_name(folder_id, facts_.utf8);
}

awaitable<Result<std::shared_ptr<Selection>>> Link::select(std::string folder, bool writable) {
    if (selection_ && selection_->folder == folder && (selection_->writable || !writable)) {
        auto const& status = connection_->answered(selection_->ticket);
        if (!status || status->kind == StatusKind::ok) co_return selection_;
    }
    auto built =
        std::move(command().text(writable ? " SELECT " : " EXAMINE ").astring(wire_name(folder)))
            .finish();
    if (!built) co_return built.error();
    auto const selection = std::make_shared<Selection>();
    selection->folder = std::move(folder);
    selection->writable = writable;
    // Weak: the ticket in the selection keeps the handler.
    auto const hear = [weak = std::weak_ptr(selection)](imap::Event& event) {
        auto const held = weak.lock();
        return held && take(*held, event);
    };
    auto ticket = co_await connection_->send(std::move(*built), hear);
    if (!ticket) co_return ticket.error();
    selection->ticket = std::move(*ticket);
    selection_ = selection;
    co_return selection;
}

awaitable<Result<void>> Link::selected(std::shared_ptr<Selection> selection, Errc otherwise) {
    auto const status = co_await connection_->answer(selection->ticket);
    if (!status) co_return status.error();
    if (status->kind != StatusKind::ok) {
        if (selection_ == selection) selection_.reset();
        co_return refusal(*status, otherwise, selection->writable ? "SELECT" : "EXAMINE");
    }
    co_return Result<void>{};
}

awaitable<Result<void>> Link::ping() {
    if (!alive()) co_return dead();
    auto built = std::move(command().text(" NOOP")).finish();
    auto const status = co_await connection_->run(std::move(*built));
    if (!status) co_return status.error();
    if (status->kind != StatusKind::ok) co_return refusal(*status, Errc::connection_lost, "NOOP");
    co_return Result<void>{};
}

awaitable<void> Link::close() {
    if (!alive()) co_return;
    auto const connection = connection_;
    if (connection->commands_in_flight() == 0) {
        asio::steady_timer limit(executor_, goodbye_limit);
        limit.async_wait([weak = std::weak_ptr(connection)](boost::system::error_code error) {
            if (error) return;
            if (auto const held = weak.lock()) held->cut();
        });
        auto built = std::move(command().text(" LOGOUT")).finish();
        static_cast<void>(co_await connection->run(std::move(*built)));
    }
    connection->cut();
}

void Link::cut() {
    if (connection_) connection_->cut();
}

}  // namespace mailferry::imap
