#include "transport/http/origin_dial.hpp"

#include "transport/auth/sasl.hpp"
#include "transport/http/phase_watch.hpp"
#include "transport/http/response_parser.hpp"
#include "transport/stream/dial.hpp"

#include <string.h>

namespace mailferry::http {
namespace {

using StreamPtr = std::unique_ptr<transport::Stream>;

constexpr std::size_t answer_bytes_max = 16 * 1024;

/// What a connection of its own needs of the settings.
struct DialPlan {
    std::shared_ptr<transport::TlsContext const> tls;
    std::optional<Proxy> proxy;
    std::chrono::milliseconds connect_limit;
};

awaitable<Result<void>> ask(transport::Stream& stream, std::string origin, Proxy proxy) {
    auto request = "CONNECT " + origin + " HTTP/1.1\r\nHost: " + origin + "\r\n";
    if (proxy.credential) {
        auto encoded = transport::base64_encode(proxy.credential->reveal());
        request.reserve(request.size() + encoded.size() + 64);
        request.append("Proxy-Authorization: Basic ").append(encoded).append("\r\n");
        ::explicit_bzero(encoded.data(), encoded.size());
    }
    request.append("\r\n");
    auto const written = co_await stream.write_all(transport::bytes_of(request));
    ::explicit_bzero(request.data(), request.size());
    co_return written;
}

/// The proxy's status. What it says behind a 2xx would be taken for the origin's: protocol_error.
awaitable<Result<int>> answer(transport::Stream& stream) {
    ResponseParser::Limits limits;
    limits.head_bytes_max = answer_bytes_max;
    ResponseParser parser(limits, true);
    std::string received;
    std::array<std::byte, 2'048> buffer;
    for (;;) {
        auto const read = co_await stream.read_some(buffer);
        if (!read) co_return read.error();
        if (*read == 0)
            co_return Error{Errc::connection_lost, "the proxy closed without an answer"};
        received.append(reinterpret_cast<char const*>(buffer.data()), *read);
        std::string_view input = received;
        auto const step = parser.next(input);
        if (!step) co_return step.error();
        received.erase(0, received.size() - input.size());
        if (auto const* const head = std::get_if<ResponseParser::Head>(&*step)) {
            if (head->head.good() && !received.empty())
                co_return Error{Errc::protocol_error, "the proxy speaks before the origin"};
            co_return head->head.status;
        }
        if (received.size() >= answer_bytes_max)
            co_return Error{Errc::protocol_error, "the proxy's answer is too large"};
    }
}

awaitable<Result<void>> tunnel(transport::Stream& stream, DialPlan const& plan,
                               std::string origin) {
    PhaseWatch watch(co_await asio::this_coro::executor, [&stream] { stream.cut(); });
    watch.expect(plan.connect_limit, "no answer to CONNECT");
    auto const asked = co_await ask(stream, origin, *plan.proxy);
    if (!asked) co_return watch.verdict() ? *watch.verdict() : asked.error();
    auto const status = co_await answer(stream);
    if (!status) co_return watch.verdict() ? *watch.verdict() : status.error();
    if (*status >= 200 && *status < 300) co_return Result<void>{};
    auto const text = "it answered with status " + std::to_string(*status);
    if (*status == 407)
        co_return Error{Errc::invalid_config,
                        text + (plan.proxy->credential ? ": its credential is wrong"
                                                       : ": it wants a credential")};
    co_return Error{Errc::unreachable, text};
}

awaitable<Result<StreamPtr>> dial_origin(DialPlan plan, Url url) {
    transport::StreamOptions options;
    options.host = url.host;
    options.port = url.port;
    options.connect_limit = plan.connect_limit;
    options.tls = plan.tls;
    auto const through_proxy = plan.proxy && url.tls;
    if (!through_proxy)
        co_return co_await transport::connect_stream(
            std::move(options), url.tls ? config::Tls::implicit : config::Tls::none);
    auto const& proxy = *plan.proxy;
    options.via = transport::Via{proxy.host, proxy.port};
    auto const frame = "proxy " + transport::host_and_port(proxy.host, proxy.port);
    auto stream = co_await transport::connect_stream(std::move(options), config::Tls::none);
    if (!stream) co_return stream.error().in(frame);
    auto const opened =
        co_await tunnel(**stream, plan, transport::host_and_port(url.host, url.port));
    if (!opened) co_return opened.error().in(frame);
    auto const secured = co_await (*stream)->start_tls();
    if (!secured) co_return secured.error();
    co_return stream;
}

}  // namespace

Dial origin_dial(ClientSettings const& settings) {
    DialPlan plan{settings.tls, settings.proxy, settings.connect_limit};
    return [plan = std::move(plan)](Url url) { return dial_origin(plan, std::move(url)); };
}

Result<Proxy> parse_proxy(std::string_view text) {
    Error const bad{Errc::invalid_config,
                    "https_proxy has the form http://host:port; a user name goes into its own "
                    "credential"};
    auto const url = parse_url(text);
    if (!url || url->tls || url->target != "/") return bad;
    return Proxy{url->host, url->port, nullptr};
}

}  // namespace mailferry::http
