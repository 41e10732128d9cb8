#include "daemon/report_advice.hpp"

namespace mailferry::daemon {

std::string_view next_step(Errc code) {
    switch (code) {
    case Errc::connection_lost:
    case Errc::timed_out:
        return "Run the pass again; if it happens again, look at the network and the server's log.";
    case Errc::throttled:
        return "Run the pass again later, or add admin accounts so that each carries less.";
    case Errc::unavailable: return "Wait until the server works again, then run the pass again.";
    case Errc::protocol_error:
        return "Keep the log line and report it: the server answered what its protocol forbids.";
    case Errc::unreachable:
        return "Check host and port in the configuration, name resolution and firewall.";
    case Errc::tls_failed:
        return "Renew the server's certificate, or name its authority in ca_file.";
    case Errc::login_refused:
        return "Correct the password or the admin's rights, then run the pass again.";
    case Errc::mailbox_refused:
        return "Check that the mailbox exists and that the admin may open it.";
    case Errc::folder_unreadable:
        return "Give the admin the right to read the folder, or exclude it.";
    case Errc::folder_refused: return "Make the folder at the target by hand, or exclude it.";
    case Errc::folder_replaced:
        return "Run the pass again: the folder was replaced on the server meanwhile.";
    case Errc::item_refused:
        return "Import the exported file by hand, or tell the mailbox's owner.";
    case Errc::item_too_large:
        return "Raise the target's size limit and retry, or hand the exported file to the owner.";
    case Errc::item_vanished: return "Nothing: it was deleted or moved at the source meanwhile.";
    case Errc::item_damaged:
        return "Repair the message at the source (rebuild the mailbox's index), then retry.";
    case Errc::over_quota: return "Raise the target mailbox's quota, then run the pass again.";
    case Errc::doubtful: return "Run the pass again: it asks the target what has arrived.";
    case Errc::disk_full: return "Free space in state_dir, or lower spool.max_bytes.";
    case Errc::io_error:
        return "Check the disk under state_dir (kernel log, SMART), then start again.";
    case Errc::corrupt: return "Check the disk under state_dir; what was damaged is fetched again.";
    case Errc::invalid_config:
        return "Correct the configuration; mailferryd --check lists every problem.";
    case Errc::unsupported:
        return "Copy this mailbox by other means: one of the servers can't do what it needs.";
    case Errc::stopped: return "Start it again: it goes on where it stopped.";
    }
    return "Look at the log.";
}

std::string_view next_step(std::string_view reason) {
    auto const code = errc_from(reason);
    return code ? next_step(*code) : std::string_view("Look at the log around this item.");
}

std::optional<Errc> code_in(std::string_view described_error) {
    auto const end = described_error.find_first_not_of("abcdefghijklmnopqrstuvwxyz_");
    return errc_from(described_error.substr(0, end));
}

}  // namespace mailferry::daemon
