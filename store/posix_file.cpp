#include "store/posix_file.hpp"

#include "store/errno_error.hpp"
#include "store/write_progress.hpp"

#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

namespace mailferry::store {
namespace {

Result<void> write_all(int descriptor, std::uint64_t offset, std::span<std::byte const> bytes) {
    WriteProgress progress(offset, bytes);
    while (!progress.complete()) {
        auto const count = ::pwrite(descriptor, progress.rest().data(), progress.rest().size(),
                                    static_cast<off_t>(progress.offset()));
        if (auto const good = progress.wrote(count < 0 ? -errno : count); !good) return good;
    }
    return {};
}

Result<void> sync_all(int descriptor) {
    if (::fdatasync(descriptor) != 0) return errno_error(errno, "fdatasync");
    return {};
}

Result<std::size_t> read_all(int descriptor, std::uint64_t offset, std::span<std::byte> into) {
    std::size_t filled = 0;
    while (filled < into.size()) {
        auto const count = ::pread(descriptor, into.data() + filled, into.size() - filled,
                                   static_cast<off_t>(offset + filled));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno_error(errno, "read");
        if (count == 0) break;
        filled += static_cast<std::size_t>(count);
    }
    return filled;
}

class PosixFile final : public SegmentFile {
public:
    PosixFile(std::shared_ptr<IoThread> thread, int descriptor)
        : thread_(std::move(thread)), descriptor_(descriptor) {}
    ~PosixFile() override {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    awaitable<Result<void>> write_at(std::uint64_t offset,
                                     std::span<std::byte const> bytes) override {
        return thread_->run(
            [fd = descriptor_, offset, bytes] { return write_all(fd, offset, bytes); });
    }

    awaitable<Result<void>> write_and_sync(std::uint64_t offset,
                                           std::span<std::byte const> bytes) override {
        return thread_->run([fd = descriptor_, offset, bytes]() -> Result<void> {
            if (auto const written = write_all(fd, offset, bytes); !written) return written;
            return sync_all(fd);
        });
    }

    awaitable<Result<void>> sync_data() override {
        return thread_->run([fd = descriptor_] { return sync_all(fd); });
    }

    awaitable<Result<void>> truncate(std::uint64_t bytes) override {
        return thread_->run([fd = descriptor_, bytes]() -> Result<void> {
            if (::ftruncate(fd, static_cast<off_t>(bytes)) != 0)
                return errno_error(errno, "ftruncate");
            return {};
        });
    }

    awaitable<Result<std::size_t>> read_at(std::uint64_t offset,
                                           std::span<std::byte> into) override {
        if (auto const count = read_from_cache(descriptor_, offset, into))
            co_return Result<std::size_t>(*count);
        co_return co_await thread_->run(
            [fd = descriptor_, offset, into] { return read_all(fd, offset, into); });
    }

    awaitable<Result<void>> close() override {
        return thread_->run([fd = std::exchange(descriptor_, -1)]() -> Result<void> {
            if (::close(fd) != 0) return errno_error(errno, "close");
            return {};
        });
    }

private:
    std::shared_ptr<IoThread> thread_;
    int descriptor_;
};

}  // namespace

std::unique_ptr<SegmentFile> make_posix_file(std::shared_ptr<IoThread> thread, int descriptor) {
    return std::make_unique<PosixFile>(std::move(thread), descriptor);
}

std::optional<std::size_t> read_from_cache(int descriptor, std::uint64_t offset,
                                           std::span<std::byte> into) {
    iovec const piece{into.data(), into.size()};
    auto const count = ::preadv2(descriptor, &piece, 1, static_cast<off_t>(offset), RWF_NOWAIT);
    if (count < 0 || static_cast<std::size_t>(count) != into.size()) return std::nullopt;
    return into.size();
}

}  // namespace mailferry::store
