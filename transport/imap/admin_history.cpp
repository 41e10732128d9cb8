#include "transport/imap/admin_history.hpp"

#include <utility>

namespace mailferry::imap {
namespace {

/// So many answers UNAVAILABLE are believed while there is a mailbox that opens, or there is none.
constexpr int unavailable_max = 3, unavailable_of_unproven_max = 12;

}  // namespace

void AdminHistory::opened(std::string mailbox, Instant now) {
    unavailable_.erase(mailbox);
    good_mailbox_ = std::move(mailbox);
    good_at_ = now;
}

AdminHistory::Meaning AdminHistory::refused(std::string const& mailbox, bool names_credential,
                                            Instant now) {
    if (has_opened()) {
        if (!names_credential && now - good_at_ < proof_lasts_) return Meaning::mailbox;
        return mailbox == good_mailbox_ ? Meaning::credential : Meaning::ask_anew;
    }
    if (names_credential) return Meaning::credential;
    if (doubtful_mailbox_.empty()) doubtful_mailbox_ = mailbox;
    return doubtful_mailbox_ == mailbox ? Meaning::mailbox : Meaning::credential;
}

AdminHistory::Meaning AdminHistory::unavailable(std::string const& mailbox, Instant now) {
    auto& waiting = unavailable_[mailbox];
    if (waiting.answers++ == 0) waiting.since = now;
    if (!has_opened())
        return waiting.answers < unavailable_of_unproven_max ? Meaning::later : Meaning::mailbox;
    if (waiting.answers < unavailable_max || mailbox == good_mailbox_) return Meaning::later;
    return good_at_ > waiting.since ? Meaning::mailbox : Meaning::ask_anew;
}

}  // namespace mailferry::imap
