#pragma once

/// One session to the target and the groups under way on it.

#include "daemon/mailbox_run.hpp"

#include <algorithm>

namespace mailferry::daemon {

struct MailboxRun::Lane {
    static constexpr std::uint64_t group_bytes_most = 8 << 20;

    Lane(asio::any_io_executor executor, transport::TargetSession& target)
        : session(target), groups(std::move(executor)) {
        auto const limit = target.capabilities().stored_bytes_per_second_max;
        if (limit == 0) return;
        limited = true;
        // What waits for the server's limit takes memory that others could use meanwhile.
        group_bytes_max =
            std::clamp<std::uint64_t>(limit * seconds_in_a_group, 256 << 10, group_bytes_most);
        groups_max = 2;
    }

    bool over() const { return error.has_value(); }
    /// Nothing new begins on this session. The first reason stands.
    void end(Error reason) {
        if (!error) error = std::move(reason);
    }

    transport::TargetSession& session;
    bool limited = false;  ///< By what the server takes from one admin.
    std::uint64_t group_bytes_max = group_bytes_most;
    std::size_t groups_max = 4;  ///< Under way at once.
    TaskGroup groups;
    std::map<store::FolderId, transport::FolderPosition> positions;
    std::optional<Error> error;

private:
    static constexpr std::uint64_t seconds_in_a_group = 4;
};

}  // namespace mailferry::daemon
