#include "transport/imap/login.hpp"

#include "transport/auth/sasl.hpp"
#include "transport/imap/server_error.hpp"

#include <string.h>

#include <vector>

namespace mailferry::imap {
namespace {

/// Wipes a text that held a secret, however the scope is left.
class Wiped {
public:
    explicit Wiped(std::string text) : text_(std::move(text)) {}
    ~Wiped() { ::explicit_bzero(text_.data(), text_.size()); }
    Wiped(Wiped const&) = delete;
    Wiped& operator=(Wiped const&) = delete;
    std::string const& text() const { return text_; }

private:
    std::string text_;
};

/// Reads responses of the plain-text phase one by one, without a loop of its own.
class PlainReader {
public:
    explicit PlainReader(transport::Stream& stream) : stream_(stream) {}

    awaitable<Result<imap::Event>> next() {
        for (;;) {
            auto event = parser_.next(input_);
            if (std::holds_alternative<ProtocolError>(event))
                co_return Error{Errc::protocol_error, "unintelligible answer before TLS"};
            if (!std::holds_alternative<NeedMore>(event)) co_return event;
            auto const read = co_await stream_.read_some(buffer_);
            if (!read) co_return read.error();
            if (*read == 0)
                co_return Error{Errc::connection_lost,
                                "the server closed the connection before TLS"};
            input_ = {reinterpret_cast<char const*>(buffer_.data()), *read};
            if ((total_bytes_ += *read) > bytes_max)
                co_return Error{Errc::protocol_error, "too much data before TLS"};
        }
    }
    bool has_more() const { return !input_.empty(); }

private:
    static constexpr std::size_t bytes_max = 256 * 1024;
    transport::Stream& stream_;
    ResponseParser parser_;
    std::array<std::byte, 4096> buffer_;
    std::string_view input_;
    std::size_t total_bytes_ = 0;
};

/// Keeps the capabilities that come with an answer or before it.
DataHandler keep_capabilities(std::shared_ptr<std::vector<std::string>> into) {
    return [into](imap::Event& event) {
        auto* const capability = std::get_if<Capability>(&event);
        if (capability != nullptr) *into = std::move(capability->names);
        return capability != nullptr;
    };
}

/// One AUTHENTICATE exchange. `message` is the base64 text of the only message we send.
awaitable<Result<Status>> exchange(Connection& connection, ServerFacts const& facts,
                                   std::string_view mechanism, std::string const& message,
                                   DataHandler on_data) {
    auto const turn = co_await connection.turn();
    bool const at_once = facts.has("SASL-IR");
    CommandWriter writer(connection.next_tag(), facts.literals());
    writer.text(" AUTHENTICATE ").text(mechanism);
    if (at_once) writer.text(" ").initial_response(message);
    auto command = std::move(writer).finish();
    if (!command) co_return command.error();
    auto const ticket = co_await connection.send(std::move(*command), std::move(on_data));
    if (!ticket) co_return ticket.error();

    for (bool is_sent = at_once;;) {
        auto const asked = co_await connection.invited(*ticket);
        if (!asked) co_return asked.error();
        if (!*asked) break;
        // A challenge behind our only message is XOAUTH2's way to explain a refusal: an empty line
        // makes the server say NO. For any other mechanism "*" ends the exchange.
        std::string_view const last_word = mechanism == "XOAUTH2" ? "\r\n" : "*\r\n";
        Wiped const line(is_sent ? std::string(last_word) : message + "\r\n");
        is_sent = true;
        auto const written = co_await connection.write(transport::bytes_of(line.text()));
        if (!written) co_return written.error();
    }
    co_return co_await connection.answer(*ticket);
}

awaitable<Result<Status>> log_in(Connection& connection, ServerFacts const& facts,
                                 std::string_view user, std::string_view password,
                                 DataHandler on_data) {
    CommandWriter writer(connection.next_tag(), facts.literals());
    writer.text(" LOGIN ").astring(user).text(" ").astring(password);
    auto command = std::move(writer).finish();
    if (!command) co_return Error{Errc::login_refused, "user or password holds NUL, CR or LF"};
    co_return co_await connection.run(std::move(*command), std::move(on_data));
}

std::string login_name(Credentials const& credentials) {
    if (credentials.auth != config::Auth::login_master) return std::string(credentials.mailbox);
    return std::string(credentials.mailbox)
        .append(credentials.master_separator)
        .append(credentials.admin);
}

Error not_offered(std::string_view what) {
    return {Errc::login_refused, "the server doesn't offer " + std::string(what)};
}

awaitable<Result<Status>> sign_in(Connection& connection, ServerFacts const& facts,
                                  Credentials credentials, DataHandler on_data) {
    if (credentials.auth == config::Auth::xoauth2) {
        if (!facts.has("AUTH=XOAUTH2")) co_return not_offered("AUTH=XOAUTH2");
        Wiped const message(
            transport::sasl_xoauth2(credentials.mailbox, credentials.secret).value_or(""));
        if (message.text().empty())
            co_return Error{Errc::login_refused, "mailbox or token holds a control character"};
        co_return co_await exchange(connection, facts, "XOAUTH2", message.text(),
                                    std::move(on_data));
    }
    auto const acts_for_other =
        credentials.auth == config::Auth::plain && credentials.mailbox != credentials.admin;
    auto const user = credentials.auth == config::Auth::plain ? std::string(credentials.admin)
                                                              : login_name(credentials);
    if (facts.has("AUTH=PLAIN")) {
        auto const authzid = acts_for_other ? credentials.mailbox : std::string_view();
        Wiped const message(transport::sasl_plain(authzid, user, credentials.secret).value_or(""));
        if (message.text().empty())
            co_return Error{Errc::login_refused, "user or password holds NUL"};
        co_return co_await exchange(connection, facts, "PLAIN", message.text(), std::move(on_data));
    }
    if (acts_for_other) co_return not_offered("AUTH=PLAIN, which auth = \"plain\" needs");
    if (facts.has("LOGINDISABLED")) co_return not_offered("AUTH=PLAIN or LOGIN here");
    co_return co_await log_in(connection, facts, user, credentials.secret, std::move(on_data));
}

/// Whether an admin with the right password never gets this answer, whatever the mailbox.
bool is_about_credential(Status const& status, Credentials const& credentials,
                         Quirks const& quirks) {
    if (quirks.login_ignores_mailbox || status.is("EXPIRED")) return true;
    // RFC 5530: of a mailbox that the admin may not act for it would be AUTHORIZATIONFAILED.
    // Dovecot keeps to it with authzid and with master logins alike. With XOAUTH2 nobody does.
    return status.is("AUTHENTICATIONFAILED") && credentials.auth != config::Auth::xoauth2;
}

}  // namespace

awaitable<Result<void>> start_tls(transport::Stream& stream) {
    stream.watch_idle(true);
    PlainReader reader(stream);
    for (;;) {
        auto const event = co_await reader.next();
        if (!event) co_return event.error();
        auto const* const greeting = std::get_if<Greeting>(&*event);
        if (greeting == nullptr) continue;
        if (greeting->status.kind == StatusKind::preauth)
            co_return Error{Errc::tls_failed, "the server signs in before TLS (PREAUTH): refused"};
        if (greeting->status.kind == StatusKind::bye)
            co_return Error{Errc::unavailable, "the server turned us away before TLS"};
        break;
    }
    constexpr std::string_view tag = "s1";
    auto const sent = co_await stream.write_all(transport::bytes_of("s1 STARTTLS\r\n"));
    if (!sent) co_return sent.error();
    for (;;) {
        auto const event = co_await reader.next();
        if (!event) co_return event.error();
        auto const* const tagged = std::get_if<Tagged>(&*event);
        if (tagged == nullptr) continue;
        if (tagged->tag != tag || tagged->status.kind != StatusKind::ok)
            co_return Error{Errc::tls_failed,
                            "the server refuses STARTTLS; is its port one for tls = \"implicit\"?"};
        break;
    }
    // CVE-2011-0411 and its kin: bytes sent in the clear would be read as if TLS had carried them.
    if (reader.has_more())
        co_return Error{Errc::tls_failed,
                        "data behind the OK of STARTTLS: somebody may be "
                        "tampering with the connection"};
    stream.watch_idle(false);
    co_return co_await stream.start_tls();
}

awaitable<Result<void>> meet(Connection& connection, ServerFacts& facts) {
    auto const greeting = co_await connection.greeting();
    if (!greeting) co_return greeting.error();
    if (greeting->kind == StatusKind::preauth)
        co_return Error{Errc::login_refused, "the server signs in by itself (PREAUTH): refused"};
    facts.set_name(greeting->text);
    if (greeting->code)
        if (auto names = greeting->code->capability()) {
            facts.set_capabilities(std::move(*names));
            co_return Result<void>{};
        }
    co_return co_await ask_capabilities(connection, facts);
}

awaitable<Result<void>> ask_capabilities(Connection& connection, ServerFacts& facts) {
    auto const names = std::make_shared<std::vector<std::string>>();
    CommandWriter writer(connection.next_tag(), LiteralMode::sync);
    auto command = std::move(writer.text(" CAPABILITY")).finish();
    auto const status = co_await connection.run(std::move(*command), keep_capabilities(names));
    if (!status) co_return status.error();
    if (status->kind != StatusKind::ok)
        co_return refusal(*status, Errc::protocol_error, "CAPABILITY");
    facts.set_capabilities(std::move(*names));
    co_return Result<void>{};
}

awaitable<SignIn> authenticate(Connection& connection, ServerFacts& facts,
                               Credentials credentials) {
    SignIn outcome;
    auto const names = std::make_shared<std::vector<std::string>>();
    auto const status = co_await sign_in(connection, facts, credentials, keep_capabilities(names));
    if (!status) {
        outcome.refused = status.error();
        outcome.names_credential = true;
        co_return outcome;
    }
    if (status->kind != StatusKind::ok) {
        outcome.refused = login_refusal(*status, "login");
        outcome.names_credential = is_about_credential(*status, credentials, facts.quirks);
        co_return outcome;
    }
    if (status->code)
        if (auto told = status->code->capability()) *names = std::move(*told);
    if (!names->empty()) {
        facts.set_capabilities(std::move(*names));
        co_return outcome;
    }
    auto const asked = co_await ask_capabilities(connection, facts);
    if (!asked) outcome.refused = asked.error();
    co_return outcome;
}

}  // namespace mailferry::imap
