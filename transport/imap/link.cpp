#include "transport/imap/link.hpp"

#include "config/base/assert.hpp"
#include "config/secret_source.hpp"
#include "transport/imap/flags.hpp"
#include "transport/imap/folder_name.hpp"
#include "transport/imap/login.hpp"
#include "transport/imap/server_error.hpp"

#include <utility>

namespace mailferry::imap {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds goodbye_limit{2'000};
/// A password that opened another mailbox so recently is taken to be right still.
constexpr std::chrono::seconds proof_lasts{60};

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
    auto opened = co_await sign_in(request);
    if (opened) opened = co_await introduce();
    if (!opened) {
        auto const reason = co_await blame(opened.error(), request.mailbox);
        connection_->fail(reason);
        co_return reason;
    }
    mailbox_ = request.mailbox;
    settings_->good_mailbox = mailbox_;
    settings_->good_at = steady::now();
    co_return Result<void>{};
}

awaitable<Result<void>> Link::sign_in(transport::OpenMailbox request) {
    auto const& admin = settings_->admin;
    Credentials credentials;
    credentials.auth = admin.auth;
    credentials.mailbox = request.mailbox;
    credentials.admin = admin.user;
    credentials.master_separator = settings_->tenant.master_separator;
    credentials.secret = settings_->secret.reveal();
    if (admin.auth == config::Auth::user) {
        if (request.own_password == nullptr)
            co_return Error{Errc::mailbox_refused, "the mapping has no password for this mailbox"};
        credentials.secret = request.own_password->reveal();
    }
    // A token lives for an hour: whoever refreshes it writes it where we read it.
    Secret fresh_token;
    if (admin.auth == config::Auth::xoauth2 && !admin.password.empty()) {
        auto token = config::read_secret(admin.password);
        if (!token) co_return token.error();
        fresh_token = std::move(*token);
        credentials.secret = fresh_token.reveal();
    }
    auto const done = co_await authenticate(*connection_, facts_, credentials);
    if (!done) co_return done.error().in("mailbox=" + request.mailbox);
    co_return Result<void>{};
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

/// Most servers say AUTHENTICATIONFAILED both for a wrong password and for a mailbox that the admin
/// can't open. A mailbox that it can open tells the two apart.
awaitable<Error> Link::blame(Error refused, std::string mailbox) {
    if (refused.code != Errc::login_refused || settings_->admin.auth == config::Auth::user)
        co_return refused;
    auto probe_mailbox = settings_->good_mailbox;
    auto good = !probe_mailbox.empty() && steady::now() - settings_->good_at < proof_lasts;
    if (probe_mailbox.empty() && settings_->admin.auth == config::Auth::plain &&
        !std::exchange(settings_->tried_itself, true))
        probe_mailbox = settings_->admin.user;
    if (!good && !probe_mailbox.empty() && probe_mailbox != mailbox) {
        Link probe(executor_, settings_, side_);
        auto opened = co_await probe.connect();
        transport::OpenMailbox request;
        request.mailbox = probe_mailbox;
        if (opened) opened = co_await probe.sign_in(request);
        good = opened.has_value();
        co_await probe.close();
    }
    if (good) refused.code = Errc::mailbox_refused;
    co_return refused;
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
