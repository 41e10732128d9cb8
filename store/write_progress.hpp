#pragma once

#include "store/errno_error.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

namespace mailferry::store {

/// What is left of a write after the kernel's answers. Both back ends decide with it, so that a
/// short write is never taken for a whole one and never repeated with other bytes or at another
/// place.
class WriteProgress {
public:
    WriteProgress(std::uint64_t offset, std::span<std::byte const> bytes)
        : offset_(offset), rest_(bytes) {}

    std::uint64_t offset() const { return offset_; }
    std::span<std::byte const> rest() const { return rest_; }
    bool complete() const { return rest_.empty(); }

    /// `answer` is a count of bytes or a negative errno. An error, or nothing: go on unless
    /// complete.
    Result<void> wrote(std::int64_t answer) {
        if (answer == -EINTR || answer == -EAGAIN) answer = 0;
        if (answer < 0) return errno_error(static_cast<int>(-answer), "write");
        if (static_cast<std::uint64_t>(answer) > rest_.size())
            return Error{Errc::io_error, "write: the kernel reports more than was asked for"};
        // Zero again and again is a disk that takes nothing; waiting longer would not end.
        idle_ = answer == 0 ? idle_ + 1 : 0;
        if (idle_ > idle_max) return Error{Errc::io_error, "write: no progress"};
        offset_ += static_cast<std::uint64_t>(answer);
        rest_ = rest_.subspan(static_cast<std::size_t>(answer));
        return {};
    }

private:
    static constexpr int idle_max = 100;
    std::uint64_t offset_;
    std::span<std::byte const> rest_;
    int idle_ = 0;
};

}  // namespace mailferry::store
