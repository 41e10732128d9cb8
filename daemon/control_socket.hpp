#pragma once

/// The control API over a Unix socket: HTTP/1.1, so that `curl --unix-socket` works.
///
/// Who may connect: the socket's mode is 0660 and its group mailferry-view (or mailferry-admin
/// where the former doesn't exist). Who may do what: the kernel's word on the peer (SO_PEERCRED and
/// SO_PEERGROUPS), never the request's. Limits keep a slow or greedy client from hurting anybody:
/// clients, request size, a deadline for each request and each response; places are kept free for
/// those who may act.

#include "async/event.hpp"
#include "async/task_group.hpp"
#include "daemon/control_api.hpp"

#include <boost/asio/local/stream_protocol.hpp>

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

namespace mailferry::daemon {

/// What the kernel says of the process at the other end.
struct PeerIdentity {
    uid_t uid = 0;
    pid_t pid = 0;
    std::vector<gid_t> groups;  ///< Primary and supplementary.
};

struct ControlGroups {
    std::optional<gid_t> admin, view;  ///< Nothing: this system has no such group.
};

/// Pure: root and the daemon's own user act, members of the admin group too; members of the view
/// group look.
Access access_of(PeerIdentity const& peer, uid_t own_uid, ControlGroups const& groups);

struct ControlSocketOptions {
    std::filesystem::path path;
    std::string admin_group = "mailferry-admin", view_group = "mailferry-view";
    std::size_t clients_max = 16;
    std::size_t places_kept_for_admins = 4;
    std::size_t header_bytes_max = 16 << 10, body_bytes_max = 48 << 10;
    std::chrono::milliseconds request_deadline{5'000};  ///< Also ends an idle connection.
    std::chrono::milliseconds response_deadline{30'000};
};

class ControlSocket {
public:
    using Handler = std::function<awaitable<ControlResponse>(ControlRequest)>;

    /// Binds and listens. A socket file that nobody listens on is replaced; a live one, or a file
    /// that is no socket, is refused (invalid_config, with the cure).
    static Result<std::unique_ptr<ControlSocket>> open(asio::any_io_executor executor,
                                                       ControlSocketOptions options,
                                                       Handler handler);
    /// Removes the socket file if it is still this one's. run() must have resolved.
    ~ControlSocket();
    ControlSocket(ControlSocket const&) = delete;
    ControlSocket& operator=(ControlSocket const&) = delete;

    /// Serves until stop(); resolves when the last client has gone.
    awaitable<void> run();
    /// No new clients; idle ones are cut off, responses under way are finished.
    void stop();

private:
    class Client;
    using Acceptor = asio::local::stream_protocol::acceptor;
    using Socket = asio::local::stream_protocol::socket;

    ControlSocket(asio::any_io_executor executor, ControlSocketOptions options, Handler handler,
                  Acceptor acceptor);
    void admit(Socket socket);
    awaitable<void> serve(std::list<Client>::iterator client);

    ControlSocketOptions const options_;
    Handler const handler_;
    ControlGroups const groups_;
    Acceptor acceptor_;
    dev_t device_ = 0;  ///< With inode_: the socket file that is ours.
    ino_t inode_ = 0;
    bool stopping_ = false;
    std::list<Client> clients_;
    TaskGroup tasks_;
};

}  // namespace mailferry::daemon
