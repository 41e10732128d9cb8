#include "store/ledger.hpp"

namespace mailferry::store {

std::string_view to_string(PassState state) {
    switch (state) {
    case PassState::waiting: return "waiting";
    case PassState::running: return "running";
    case PassState::done: return "done";
    case PassState::failed: return "failed";
    case PassState::paused: return "paused";
    case PassState::cancelled: return "cancelled";
    }
    return "unknown";
}

PassCounters& PassCounters::operator+=(PassCounters const& other) {
    seen += other.seen;
    stored += other.stored;
    unchanged += other.unchanged;
    left_out += other.left_out;
    gone += other.gone;
    failed += other.failed;
    waiting += other.waiting;
    flags_changed += other.flags_changed;
    bytes_stored += other.bytes_stored;
    return *this;
}

}  // namespace mailferry::store
