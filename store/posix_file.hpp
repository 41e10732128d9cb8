#pragma once

#include "store/segment_file.hpp"

#include <boost/asio/thread_pool.hpp>

#include <memory>

namespace mailferry::store {

/// A thread for system calls that block. Its users' coroutines go on on their own executor.
class IoThread {
public:
    /// Runs `call` (answers a Result, throws nothing) on the thread.
    template <class Call>
    auto run(Call call) -> awaitable<decltype(call())> {
        // Named: GCC 12 destroys a closure twice that is made inside a co_await expression.
        auto task = [call = std::move(call)]() -> awaitable<decltype(call())> { co_return call(); };
        co_return co_await asio::co_spawn(pool_.get_executor(), std::move(task),
                                          asio::use_awaitable);
    }

private:
    asio::thread_pool pool_{1};
};

/// Takes over `descriptor`. pwrite, fdatasync and pread on `thread`.
std::unique_ptr<SegmentFile> make_posix_file(std::shared_ptr<IoThread> thread, int descriptor);

/// Reads what lies in the page cache without a trip to another thread; nothing if it would block.
std::optional<std::size_t> read_from_cache(int descriptor, std::uint64_t offset,
                                           std::span<std::byte> into);

}  // namespace mailferry::store
