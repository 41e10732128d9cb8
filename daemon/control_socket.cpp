#include "daemon/control_socket.hpp"

#include "config/base/assert.hpp"
#include "config/base/log.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace mailferry::daemon {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using Protocol = asio::local::stream_protocol;
using Stream = beast::basic_stream<Protocol, asio::any_io_executor>;

class ControlSocket::Client {
public:
    Client(Socket socket, Access allowed, std::string who)
        : stream(std::move(socket)), access(allowed), caller(std::move(who)) {}

    Stream stream;
    Access const access;
    std::string const caller;
    bool waits = false;  ///< For a request: stop() may cut it off.
};

namespace {

std::optional<gid_t> group_id(std::string const& name) {
    std::vector<char> buffer(16 << 10);
    group entry{};
    group* found = nullptr;
    if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
        found == nullptr)
        return std::nullopt;
    return found->gr_gid;
}

std::optional<PeerIdentity> identity_of(int descriptor) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return std::nullopt;
    PeerIdentity peer{credentials.uid, credentials.pid, {credentials.gid}};
    std::vector<gid_t> groups(256);
    size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    auto status = ::getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
    if (status != 0 && errno == ERANGE) {
        groups.resize(size / sizeof(gid_t));
        status = ::getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
    }
    if (status == 0) {
        groups.resize(size / sizeof(gid_t));
        peer.groups.insert(peer.groups.end(), groups.begin(), groups.end());
    }
    return peer;
}

Error refused(std::filesystem::path const& path, std::string_view why) {
    return {Errc::invalid_config, "control socket " + path.string() + ": " + std::string(why)};
}

std::string last_error() { return error_code(errno, boost::system::system_category()).message(); }

/// Makes room for bind(): a socket file without a listener goes.
Result<void> remove_stale(std::filesystem::path const& path) {
    struct stat file {};
    if (::lstat(path.c_str(), &file) != 0) {
        if (errno == ENOENT) return {};
        return refused(path, last_error());
    }
    if (!S_ISSOCK(file.st_mode))
        return refused(path, "this file is no socket; remove it or set another control_socket");
    asio::io_context context;
    Protocol::socket probe(context, Protocol());
    error_code error;
    probe.non_blocking(true, error);  // A listener whose queue is full must not hold us up.
    if (!error) probe.connect(Protocol::endpoint(path.string()), error);
    if (!error || error == asio::error::would_block || error == asio::error::try_again)
        return refused(path,
                       "another mailferryd listens on it; stop that one first, or give this "
                       "one a control_socket of its own");
    if (error != asio::error::connection_refused) return refused(path, error.message());
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return refused(path, last_error());
    return {};
}

/// Before listen() nobody can connect, so the mode is never too wide.
void set_owner_and_mode(std::filesystem::path const& path, ControlGroups const& groups) {
    auto const group = groups.view ? groups.view : groups.admin;
    struct stat file {};
    if (group && ::stat(path.c_str(), &file) == 0 && file.st_gid != *group &&
        ::chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0)
        log::warning("control socket keeps its group",
                     {{"path", path.string()}, {"error", last_error()}});
    if (::chmod(path.c_str(), 0660) != 0)
        log::warning("control socket keeps its mode",
                     {{"path", path.string()}, {"error", last_error()}});
}

using Response = http::response<http::string_body>;

Response to_http(ControlResponse response, bool keep_alive) {
    Response message;
    message.version(11);
    message.result(response.status);
    message.set(http::field::server, "mailferryd");
    message.set(http::field::content_type, response.content_type);
    message.set(http::field::cache_control, "no-store");
    if (response.exit_status)
        message.set("Mailferry-Exit-Status", std::to_string(*response.exit_status));
    message.keep_alive(keep_alive);
    message.body() = std::move(response.body);
    message.prepare_payload();
    return message;
}

ControlResponse unreadable(error_code error) {
    if (error == http::error::body_limit || error == http::error::header_limit ||
        error == http::error::buffer_overflow)
        return control_error(413, "too_large", "the request is larger than 64 KiB",
                             "No request of this API needs that much.");
    return control_error(400, "bad_request", "this is no HTTP request", "Use curl --unix-socket.");
}

awaitable<bool> send(Stream& stream, ControlResponse response, bool keep_alive,
                     std::chrono::milliseconds deadline) {
    auto message = to_http(std::move(response), keep_alive);
    error_code error;
    stream.expires_after(deadline);
    co_await http::async_write(stream, message, asio::redirect_error(asio::use_awaitable, error));
    co_return !error;
}

/// Reads what the peer still sends after its request was refused: closing with unread bytes would
/// break its write before it reads our answer.
awaitable<void> drain(Stream& stream) {
    constexpr std::size_t bytes_max = 1 << 20;
    std::array<char, 4'096> buffer;
    error_code error;
    stream.socket().shutdown(Protocol::socket::shutdown_send, error);
    if (error) co_return;
    stream.expires_after(std::chrono::seconds(1));
    for (std::size_t bytes = 0; !error && bytes < bytes_max;)
        bytes += co_await stream.async_read_some(asio::buffer(buffer),
                                                 asio::redirect_error(asio::use_awaitable, error));
}

}  // namespace

Access access_of(PeerIdentity const& peer, uid_t own_uid, ControlGroups const& groups) {
    auto const member = [&](std::optional<gid_t> group) {
        return group &&
               std::find(peer.groups.begin(), peer.groups.end(), *group) != peer.groups.end();
    };
    if (peer.uid == 0 || peer.uid == own_uid || member(groups.admin)) return Access::act;
    return member(groups.view) ? Access::view : Access::none;
}

Result<std::unique_ptr<ControlSocket>> ControlSocket::open(asio::any_io_executor executor,
                                                           ControlSocketOptions options,
                                                           Handler handler) {
    auto const path = options.path;
    if (path.string().size() >= sizeof(sockaddr_un::sun_path))
        return refused(path, "the path is longer than 107 bytes; use a shorter one");
    if (auto const room = remove_stale(path); !room) return room.error();
    Acceptor acceptor(executor);
    error_code error;
    acceptor.open(Protocol(), error);
    if (!error) acceptor.bind(Protocol::endpoint(path.string()), error);
    if (error)
        return refused(path, error.message() + "; does its folder exist and is it writable?");
    std::unique_ptr<ControlSocket> opened(
        new ControlSocket(executor, std::move(options), std::move(handler), std::move(acceptor)));
    set_owner_and_mode(path, opened->groups_);
    opened->acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return refused(path, error.message());
    return opened;
}

ControlSocket::ControlSocket(asio::any_io_executor executor, ControlSocketOptions options,
                             Handler handler, Acceptor acceptor)
    : options_(std::move(options)),
      handler_(std::move(handler)),
      groups_{group_id(options_.admin_group), group_id(options_.view_group)},
      acceptor_(std::move(acceptor)),
      tasks_(executor) {
    struct stat file {};
    if (::lstat(options_.path.c_str(), &file) == 0) {
        device_ = file.st_dev;
        inode_ = file.st_ino;
    }
}

ControlSocket::~ControlSocket() {
    MAILFERRY_ASSERT(tasks_.running() == 0);
    struct stat file {};
    if (::lstat(options_.path.c_str(), &file) == 0 && file.st_dev == device_ &&
        file.st_ino == inode_)
        ::unlink(options_.path.c_str());
}

awaitable<void> ControlSocket::run() {
    constexpr std::chrono::milliseconds out_of_descriptors_pause{200};
    auto const executor = co_await asio::this_coro::executor;
    while (!stopping_) {
        error_code error;
        Socket socket(executor);
        co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
        if (stopping_) break;
        if (!error) {
            admit(std::move(socket));
            continue;
        }
        if (error == asio::error::operation_aborted) break;
        log::warning("control socket can't accept", {{"error", error.message()}});
        asio::steady_timer pause(executor, out_of_descriptors_pause);
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
    co_await tasks_.join();
}

void ControlSocket::stop() {
    stopping_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    for (auto& client : clients_)
        if (client.waits) client.stream.cancel();
}

void ControlSocket::admit(Socket socket) {
    auto const peer = identity_of(socket.native_handle());
    if (!peer) return;
    auto const access = access_of(*peer, ::geteuid(), groups_);
    auto const places =
        options_.clients_max - (access == Access::act ? 0 : options_.places_kept_for_admins);
    if (clients_.size() >= places) {
        // Said without waiting: a full house must not be kept busy by those outside.
        constexpr std::string_view full =
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 5\r\n"
            "Connection: close\r\n\r\n";
        ::send(socket.native_handle(), full.data(), full.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        return;
    }
    auto caller = "uid=" + std::to_string(peer->uid) + " pid=" + std::to_string(peer->pid);
    clients_.emplace_back(std::move(socket), access, std::move(caller));
    tasks_.spawn(serve(std::prev(clients_.end())));
}

awaitable<void> ControlSocket::serve(std::list<Client>::iterator client) {
    auto& stream = client->stream;
    beast::flat_buffer buffer(options_.header_bytes_max + options_.body_bytes_max);
    for (bool open = true; open && !stopping_;) {
        http::request_parser<http::string_body> parser;
        parser.header_limit(static_cast<std::uint32_t>(options_.header_bytes_max));
        parser.body_limit(options_.body_bytes_max);
        error_code error;
        stream.expires_after(options_.request_deadline);
        client->waits = true;
        co_await http::async_read(stream, buffer, parser,
                                  asio::redirect_error(asio::use_awaitable, error));
        client->waits = false;
        if (error) {
            // Nobody is there to be told: the peer went, or its time ran out (which closes the
            // stream), or we are stopping.
            if (error == http::error::end_of_stream || error == beast::error::timeout ||
                !parser.got_some() || stopping_)
                break;
            bool const sent =
                co_await send(stream, unreadable(error), false, options_.request_deadline);
            if (sent) co_await drain(stream);
            break;
        }
        auto message = parser.release();
        // An answer to HEAD has no body; ours would be taken for the next answer's beginning.
        bool const keep_alive = message.keep_alive() && message.method() != http::verb::head;
        stream.expires_never();
        ControlRequest request{std::string(message.method_string()), std::string(message.target()),
                               client->access, client->caller};
        auto response = co_await handler_(std::move(request));
        open = co_await send(stream, std::move(response), keep_alive, options_.response_deadline);
        open = open && keep_alive;
    }
    stream.close();
    clients_.erase(client);
}

}  // namespace mailferry::daemon
