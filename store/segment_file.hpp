#pragma once

/// The file operations that the spool needs, as an interface: real ones stand in store/posix_file
/// and store/io_ring, simulated ones in the tests. Nothing else in the spool touches the disk.

#include "async/asio.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mailferry::store {

/// One open file. All offsets and sizes in bytes. The buffers must outlive the call; cancellation
/// takes effect after the operation has ended, so that the kernel never writes from freed memory.
/// Errors: disk_full (ENOSPC, EDQUOT), io_error.
class SegmentFile {
public:
    virtual ~SegmentFile() = default;  ///< Closes; an error on closing is then lost.

    /// Writes all of `bytes`. A short write is repeated with the same bytes, never with others.
    virtual awaitable<Result<void>> write_at(std::uint64_t offset,
                                             std::span<std::byte const> bytes) = 0;
    /// The same, then fdatasync: one trip to the kernel where it can link the two.
    virtual awaitable<Result<void>> write_and_sync(std::uint64_t offset,
                                                   std::span<std::byte const> bytes) = 0;
    virtual awaitable<Result<void>> sync_data() = 0;
    virtual awaitable<Result<void>> truncate(std::uint64_t bytes) = 0;
    /// Bytes read; fewer than asked for only at the end of the file.
    virtual awaitable<Result<std::size_t>> read_at(std::uint64_t offset,
                                                   std::span<std::byte> into) = 0;
    virtual awaitable<Result<void>> close() = 0;
};

struct SegmentEntry {
    std::string name;
    std::uint64_t bytes = 0;
};

/// The spool's directory. Names have no slash.
class SegmentDirectory {
public:
    virtual ~SegmentDirectory() = default;

    /// Makes a new file (never opens one that is there) with `bytes` allocated on disk. Its name is
    /// durable only after sync(). On failure no file is left.
    virtual awaitable<Result<std::unique_ptr<SegmentFile>>> create(std::string name,
                                                                   std::uint64_t bytes) = 0;
    /// For reading only.
    virtual awaitable<Result<std::unique_ptr<SegmentFile>>> open(std::string name) = 0;
    virtual awaitable<Result<void>> truncate(std::string name, std::uint64_t bytes) = 0;
    virtual awaitable<Result<void>> remove(std::string name) = 0;
    /// fsync of the directory itself.
    virtual awaitable<Result<void>> sync() = 0;
    virtual awaitable<Result<std::vector<SegmentEntry>>> list() = 0;
    /// As messages name it.
    virtual std::string path() const = 0;
};

}  // namespace mailferry::store
