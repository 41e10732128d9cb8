#include "config/secret_source.hpp"

#include "config/base/assert.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace mailferry::config {
namespace {

Error refusal(std::string message) { return {Errc::invalid_config, std::move(message)}; }

std::string reason_of(int error_number) {
    return std::generic_category().message(error_number);
}

class Descriptor {
public:
    explicit Descriptor(int value) : value_(value) {}
    Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor() {
        if (value_ >= 0) ::close(value_);
    }
    int get() const { return value_; }

private:
    int value_;
};

struct OpenSecret {
    Descriptor file;
    std::size_t size;
    std::string name;  ///< For messages.
};

Result<std::filesystem::path> path_of(SecretSource const& source) {
    if (source.credential.empty()) return source.file;
    auto const& name = source.credential;
    if (name.find('/') != name.npos || name == "." || name == "..")
        return refusal("credential \"" + escape_untrusted(name) + "\" is a path; give its name");
    auto const* const folder = std::getenv("CREDENTIALS_DIRECTORY");
    if (folder == nullptr || *folder == '\0')
        return refusal("credential \"" + escape_untrusted(name) +
                       "\": CREDENTIALS_DIRECTORY is not set; start under systemd with "
                       "LoadCredential=" + escape_untrusted(name) + ":FILE, or name a file");
    return std::filesystem::path(folder) / name;
}

Result<OpenSecret> open_secret(SecretSource const& source) {
    MAILFERRY_ASSERT(!source.empty());
    auto const path = path_of(source);
    if (!path) return path.error();
    auto const name = escape_untrusted(path->string());

    // Not blocking: a FIFO in the file's place must not hang the start.
    auto file = Descriptor(::open(path->c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (file.get() < 0) return refusal("secret file " + name + ": " + reason_of(errno));
    struct stat status {};
    if (::fstat(file.get(), &status) != 0)
        return refusal("secret file " + name + ": " + reason_of(errno));
    if (!S_ISREG(status.st_mode)) return refusal("secret file " + name + " is not a regular file");
    if (source.credential.empty()) {
        if ((status.st_mode & 077) != 0)
            return refusal("secret file " + name +
                           " is open to others than its owner: chmod 600 " + name);
        if (status.st_uid != 0 && status.st_uid != ::geteuid())
            return refusal("secret file " + name + " belongs to user " +
                           std::to_string(status.st_uid) + ": chown " +
                           std::to_string(::geteuid()) + ' ' + name);
    }
    if (status.st_size == 0) return refusal("secret file " + name + " is empty");
    auto const size = static_cast<std::uint64_t>(status.st_size);
    if (size > secret_bytes_max) return refusal("secret file " + name + " is larger than 64 KiB");
    return OpenSecret{std::move(file), static_cast<std::size_t>(size), name};
}

}  // namespace

Result<void> check_secret(SecretSource const& source) {
    auto const opened = open_secret(source);
    if (!opened) return opened.error();
    return {};
}

Result<Secret> read_secret(SecretSource const& source) {
    auto const opened = open_secret(source);
    if (!opened) return opened.error();
    auto secret = Secret::zeroed(opened->size);
    std::size_t filled = 0;
    while (filled < secret.size()) {
        auto const rest = secret.writable().subspan(filled);
        auto const count = ::read(opened->file.get(), rest.data(), rest.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return refusal("secret file " + opened->name + ": " + reason_of(errno));
        if (count == 0) break;
        filled += static_cast<std::size_t>(count);
    }
    auto const bytes = secret.reveal().substr(0, filled);
    std::size_t kept = bytes.size();
    if (bytes.ends_with("\r\n")) {
        kept -= 2;
    } else if (bytes.ends_with('\n')) {
        kept -= 1;
    }
    if (kept == 0) return refusal("secret file " + opened->name + " is empty");
    secret.shrink(kept);
    return secret;
}

}  // namespace mailferry::config
