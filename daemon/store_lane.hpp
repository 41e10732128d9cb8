#pragma once

/// One session to the target and the groups under way on it.

#include "daemon/mailbox_run.hpp"

namespace mailferry::daemon {

struct MailboxRun::Lane {
    Lane(asio::any_io_executor executor, transport::TargetSession& target)
        : session(target), groups(std::move(executor)) {}

    bool over() const { return error.has_value(); }
    /// Nothing new begins on this session. The first reason stands.
    void end(Error reason) {
        if (!error) error = std::move(reason);
    }

    transport::TargetSession& session;
    TaskGroup groups;
    std::map<store::FolderId, transport::FolderPosition> positions;
    std::optional<Error> error;
};

}  // namespace mailferry::daemon
