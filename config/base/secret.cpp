#include "config/base/secret.hpp"

#include "config/base/assert.hpp"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace mailferry {

Secret Secret::zeroed(std::size_t size) {
    Secret secret;
    if (size == 0) return secret;
    // Whole pages: locking and dump exclusion work by page and must not touch a neighbour's.
    auto const page_bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    secret.mapped_bytes_ = (size + page_bytes - 1) / page_bytes * page_bytes;
    auto* const memory = ::mmap(nullptr, secret.mapped_bytes_, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MAILFERRY_ASSERT_SHOWING(memory != MAP_FAILED, "no memory for a secret");
    secret.data_ = static_cast<char*>(memory);
    secret.size_ = size;
    static_cast<void>(::mlock(memory, secret.mapped_bytes_));
    static_cast<void>(::madvise(memory, secret.mapped_bytes_, MADV_DONTDUMP));
    return secret;
}

Secret::Secret(std::string_view bytes) : Secret(zeroed(bytes.size())) {
    std::copy(bytes.begin(), bytes.end(), data_);
}

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapped_bytes_(std::exchange(other.mapped_bytes_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        release();
        data_ = std::exchange(other.data_, nullptr);
        size_ = std::exchange(other.size_, 0);
        mapped_bytes_ = std::exchange(other.mapped_bytes_, 0);
    }
    return *this;
}

Secret::~Secret() { release(); }

void Secret::shrink(std::size_t size) {
    MAILFERRY_ASSERT(size <= size_);
    if (size < size_) ::explicit_bzero(data_ + size, size_ - size);
    size_ = size;
}

void Secret::release() noexcept {
    if (data_ == nullptr) return;
    ::explicit_bzero(data_, mapped_bytes_);
    ::munmap(data_, mapped_bytes_);
    data_ = nullptr;
}

}  // namespace mailferry
