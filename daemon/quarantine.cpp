#include "daemon/quarantine.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

namespace mailferry::daemon {
namespace {

class File {
public:
    explicit File(int descriptor) : descriptor_(descriptor) {}
    File(File const&) = delete;
    File& operator=(File const&) = delete;
    ~File() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    int get() const { return descriptor_; }

private:
    int descriptor_;
};

Error disk_error(std::string const& what) {
    auto const reason = errno;
    auto const full = reason == ENOSPC || reason == EDQUOT;
    return {full ? Errc::disk_full : Errc::io_error, what + ": " + std::strerror(reason)};
}

bool write_whole(int descriptor, std::span<std::byte const> bytes) {
    while (!bytes.empty()) {
        auto const count = ::write(descriptor, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return true;
}

}  // namespace

awaitable<Result<std::string>> export_item(std::filesystem::path folder, std::uint64_t item,
                                           std::shared_ptr<transport::ItemReader> reader) {
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        co_return disk_error("quarantine folder " + folder.string());
    auto const name = "item-" + std::to_string(item) + ".eml";
    auto const final_path = folder / name;
    auto const draft_path = folder / (name + ".part");
    File const file(
        ::open(draft_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.get() < 0) co_return disk_error("quarantine " + name);
    reader->rewind();
    for (;;) {
        auto const piece = co_await reader->next();
        if (!piece) co_return piece.error().in("quarantine " + name);
        if (piece->empty()) break;
        if (!write_whole(file.get(), *piece)) co_return disk_error("quarantine " + name);
    }
    if (::fsync(file.get()) != 0) co_return disk_error("quarantine " + name);
    if (::rename(draft_path.c_str(), final_path.c_str()) != 0)
        co_return disk_error("quarantine " + name);
    co_return final_path.string();
}

}  // namespace mailferry::daemon
