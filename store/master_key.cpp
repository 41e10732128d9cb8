#include "store/master_key.hpp"

#include "config/base/crypto.hpp"
#include "store/errno_error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

namespace mailferry::store {
namespace {

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor const&) = delete;
    Descriptor& operator=(Descriptor const&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }

private:
    int fd_;
};

std::optional<int> hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return std::nullopt;
}

Error unusable(std::string const& reason) {
    return {Errc::invalid_config,
            "spool key: " + reason + "; it must be 32 raw bytes or 64 hexadecimal digits"};
}

Result<Secret> read_key(std::filesystem::path const& path, int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return errno_error(errno, "stat " + path.string());
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return Error{Errc::invalid_config,
                     "spool key " + path.string() + " may be read by others: chmod 600 it"};
    auto bytes = Secret::zeroed(256);
    std::size_t filled = 0;
    while (filled < bytes.size()) {
        auto const count = ::read(fd, bytes.writable().data() + filled, bytes.size() - filled);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno_error(errno, "read " + path.string());
        if (count == 0) break;
        filled += static_cast<std::size_t>(count);
    }
    bytes.shrink(filled);
    auto key = parse_master_key(std::move(bytes));
    if (!key) return key.error().in("file " + path.string());
    return key;
}

Result<void> write_key(std::filesystem::path const& path, int fd, Secret const& key) {
    std::size_t written = 0;
    while (written < key.size()) {
        auto const count = ::write(fd, key.reveal().data() + written, key.size() - written);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno_error(errno, "write " + path.string());
        written += static_cast<std::size_t>(count);
    }
    if (::fsync(fd) != 0) return errno_error(errno, "fsync " + path.string());
    return {};
}

}  // namespace

Result<Secret> parse_master_key(Secret given) {
    if (given.size() == master_key_bytes) return given;
    auto const text = given.reveal();
    auto const end = text.find_last_not_of(" \t\r\n");
    auto const digits = text.substr(0, end == text.npos ? 0 : end + 1);
    if (digits.size() != 2 * master_key_bytes)
        return unusable("it has " + std::to_string(given.size()) + " bytes");
    auto key = Secret::zeroed(master_key_bytes);
    for (std::size_t i = 0; i < master_key_bytes; ++i) {
        auto const high = hex_digit(digits[2 * i]), low = hex_digit(digits[2 * i + 1]);
        if (!high || !low) return unusable("byte " + std::to_string(2 * i) + " is no digit");
        key.writable()[i] = static_cast<char>(*high * 16 + *low);
    }
    return key;
}

Result<Secret> load_or_make_master_key(std::filesystem::path const& path) {
    Descriptor const present(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (present.get() >= 0) return read_key(path, present.get());
    if (errno != ENOENT) return errno_error(errno, "open " + path.string());

    auto key = Secret::zeroed(master_key_bytes);
    auto const bytes = key.writable();
    random_bytes({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
    // A key that a crash left half-written must not be found by the next start: it gets its name
    // only when it is whole.
    auto const draft = path.string() + ".new";
    ::unlink(draft.c_str());
    Descriptor const made(
        ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (made.get() < 0) return errno_error(errno, "create " + draft);
    if (auto const written = write_key(draft, made.get(), key); !written) return written.error();
    // link() refuses to replace: two programs that start together end with one key.
    if (::link(draft.c_str(), path.c_str()) != 0) {
        auto const reason = errno;
        ::unlink(draft.c_str());
        if (reason == EEXIST) return load_or_make_master_key(path);
        return errno_error(reason, "create " + path.string());
    }
    ::unlink(draft.c_str());
    auto const folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    Descriptor const directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.get() < 0 || ::fsync(directory.get()) != 0)
        return errno_error(errno, "fsync " + folder.string());
    return key;
}

}  // namespace mailferry::store
