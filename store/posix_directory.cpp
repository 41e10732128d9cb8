#include "store/posix_directory.hpp"

#include "store/errno_error.hpp"
#include "store/io_ring.hpp"
#include "store/posix_file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>

namespace mailferry::store {
namespace {

/// From linux/magic.h, smb2 and cifs from fs/smb: file systems that may lie about locks and syncs.
constexpr std::array<std::uint32_t, 4> network_file_systems{0x6969, 0xFF534D42, 0xFE534D42,
                                                            0x65735546};

class PosixDirectory final : public SegmentDirectory {
public:
    PosixDirectory(std::string path, int directory, int lock, std::shared_ptr<IoRing> ring)
        : path_(std::move(path)),
          directory_(directory),
          lock_(lock),
          thread_(std::make_shared<IoThread>()),
          ring_(std::move(ring)) {}
    ~PosixDirectory() override {
        ::close(directory_);
        ::close(lock_);  // Gives the lock back.
    }

    awaitable<Result<std::unique_ptr<SegmentFile>>> create(std::string name,
                                                           std::uint64_t bytes) override {
        auto const call = [this, name, bytes] { return create_file(name, bytes); };
        auto const made = co_await thread_->run(call);
        if (!made) co_return made.error();
        co_return file_of(*made);
    }

    awaitable<Result<std::unique_ptr<SegmentFile>>> open(std::string name) override {
        auto const descriptor =
            ::openat(directory_, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (descriptor < 0) co_return errno_error(errno, "open " + name);
        co_return file_of(descriptor);
    }

    awaitable<Result<void>> truncate(std::string name, std::uint64_t bytes) override {
        return thread_->run([file = path_ + "/" + name, bytes]() -> Result<void> {
            if (::truncate(file.c_str(), static_cast<off_t>(bytes)) != 0)
                return errno_error(errno, "truncate " + file);
            return {};
        });
    }

    awaitable<Result<void>> remove(std::string name) override {
        return thread_->run([directory = directory_, name]() -> Result<void> {
            if (::unlinkat(directory, name.c_str(), 0) != 0 && errno != ENOENT)
                return errno_error(errno, "unlink " + name);
            return {};
        });
    }

    awaitable<Result<void>> sync() override {
        return thread_->run([directory = directory_]() -> Result<void> {
            if (::fsync(directory) != 0) return errno_error(errno, "fsync of the directory");
            return {};
        });
    }

    awaitable<Result<std::vector<SegmentEntry>>> list() override {
        return thread_->run([this] { return list_files(); });
    }

    std::string path() const override { return path_; }

private:
    std::unique_ptr<SegmentFile> file_of(int descriptor) {
        auto file = make_posix_file(thread_, descriptor);
        if (ring_ == nullptr) return file;
        return ring_->make_file(descriptor, std::move(file));
    }

    Result<int> create_file(std::string const& name, std::uint64_t bytes) const {
        auto const descriptor = ::openat(directory_, name.c_str(),
                                         O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (descriptor < 0) return errno_error(errno, "create " + name);
        auto const reason = ::posix_fallocate(descriptor, 0, static_cast<off_t>(bytes));
        if (reason == 0) return descriptor;
        ::close(descriptor);
        ::unlinkat(directory_, name.c_str(), 0);
        return errno_error(reason, "allocate " + name);
    }

    Result<std::vector<SegmentEntry>> list_files() const {
        std::vector<SegmentEntry> entries;
        auto const descriptor = ::openat(directory_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (descriptor < 0) return errno_error(errno, "open the directory");
        std::unique_ptr<DIR, int (*)(DIR*)> const stream(::fdopendir(descriptor), ::closedir);
        if (stream == nullptr) return errno_error(errno, "list the directory");
        errno = 0;
        while (auto const* const entry = ::readdir(stream.get())) {
            struct stat status {};
            if (::fstatat(directory_, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
                !S_ISREG(status.st_mode))
                continue;
            entries.push_back({entry->d_name, static_cast<std::uint64_t>(status.st_size)});
        }
        if (errno != 0) return errno_error(errno, "list the directory");
        return entries;
    }

    std::string path_;
    int directory_, lock_;
    std::shared_ptr<IoThread> thread_;
    std::shared_ptr<IoRing> ring_;
};

Result<int> lock_directory(int directory, std::string const& path) {
    auto const lock = ::openat(directory, "LOCK", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0) return errno_error(errno, "open " + path + "/LOCK");
    if (::flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
    auto const reason = errno;
    ::close(lock);
    if (reason != EWOULDBLOCK) return errno_error(reason, "lock " + path);
    return Error{Errc::invalid_config,
                 "spool " + path +
                     " is in use by another mailferry process: stop that one first, "
                     "or give this one a state_dir of its own"};
}

}  // namespace

Result<std::shared_ptr<SegmentDirectory>> open_directory(asio::any_io_executor executor,
                                                         std::filesystem::path path,
                                                         bool use_io_uring) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        return errno_error(errno, "make " + path.string());
    auto const directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return errno_error(errno, "open " + path.string());
    struct statfs status {};
    if (::fstatfs(directory, &status) == 0) {
        for (auto const kind : network_file_systems) {
            if (static_cast<std::uint32_t>(status.f_type) != kind) continue;
            ::close(directory);
            return Error{Errc::invalid_config, "spool " + path.string() +
                                                   " lies on a network or user-space file system: "
                                                   "put daemon.state_dir on a local disk"};
        }
    }
    auto const lock = lock_directory(directory, path.string());
    if (!lock) {
        ::close(directory);
        return lock.error();
    }
    auto ring = use_io_uring ? make_io_ring(std::move(executor)) : nullptr;
    return std::make_shared<PosixDirectory>(path.string(), directory, *lock, std::move(ring));
}

}  // namespace mailferry::store
