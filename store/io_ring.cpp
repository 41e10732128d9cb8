#include "store/io_ring.hpp"

#include "config/base/assert.hpp"
#include "store/errno_error.hpp"
#include "store/posix_file.hpp"
#include "store/write_progress.hpp"

#include <liburing.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

namespace mailferry::store {
namespace {

constexpr unsigned queue_depth = 64;

/// The kernel's answers to one submission: results or negative errnos.
struct Answers {
    int first = 0;
    int linked = 0;  ///< Of the sync behind the write, if there was one.
};

/// A submission until all its completions are there. The low bit of an entry's user data says which
/// of the two it belongs to.
struct alignas(8) InFlight {
    virtual ~InFlight() = default;
    virtual void complete() = 0;
    Answers answers;
    int expected = 1;
};

template <class Handler>
struct InFlightFor final : InFlight {
    explicit InFlightFor(Handler given) : handler(std::move(given)) {}
    void complete() override {
        auto resume = std::move(handler);
        resume(answers);
    }
    Handler handler;
};

class Ring final : public IoRing, public std::enable_shared_from_this<Ring> {
public:
    Ring(asio::any_io_executor executor, int event) : event_(executor, event) {}

    ~Ring() override {
        if (!usable_) return;
        // The kernel may still read from the buffers of coroutines that are about to be destroyed.
        while (in_flight_ > 0) {
            io_uring_cqe* entry = nullptr;
            if (io_uring_wait_cqe(&ring_, &entry) < 0) continue;
            for (auto* const ended : reap()) delete ended;
        }
        io_uring_queue_exit(&ring_);
    }

    bool open() {
        io_uring_params parameters{};
        parameters.flags = IORING_SETUP_COOP_TASKRUN;
        if (io_uring_queue_init_params(queue_depth, &ring_, &parameters) < 0) {
            parameters = {};
            if (io_uring_queue_init_params(queue_depth, &ring_, &parameters) < 0) return false;
        }
        usable_ = true;
        return io_uring_register_eventfd(&ring_, event_.native_handle()) == 0;
    }

    std::unique_ptr<SegmentFile> make_file(int descriptor,
                                           std::unique_ptr<SegmentFile> slow) override;

    /// `prepare` fills the first entry; with `sync_behind` a linked fdatasync of `descriptor`
    /// follows.
    template <class Prepare>
    awaitable<Answers> submit(Prepare prepare, int descriptor, bool sync_behind) {
        return asio::async_initiate<asio::use_awaitable_t<> const, void(Answers)>(
            [this, prepare, descriptor, sync_behind](auto handler) {
                auto* const flight = new InFlightFor<decltype(handler)>(std::move(handler));
                this->start(flight, prepare, descriptor, sync_behind);
            },
            asio::use_awaitable);
    }

private:
    template <class Prepare>
    void start(InFlight* flight, Prepare prepare, int descriptor, bool sync_behind) {
        // A linked pair must go in with one submission.
        if (io_uring_sq_space_left(&ring_) < 2) io_uring_submit(&ring_);
        auto* const entry = io_uring_get_sqe(&ring_);
        MAILFERRY_ASSERT(entry != nullptr);
        prepare(entry);
        io_uring_sqe_set_data64(entry, reinterpret_cast<std::uintptr_t>(flight));
        if (sync_behind) {
            entry->flags |= IOSQE_IO_LINK;
            auto* const sync = io_uring_get_sqe(&ring_);
            MAILFERRY_ASSERT(sync != nullptr);
            io_uring_prep_fsync(sync, descriptor, IORING_FSYNC_DATASYNC);
            io_uring_sqe_set_data64(sync, reinterpret_cast<std::uintptr_t>(flight) | 1);
            flight->expected = 2;
        }
        ++in_flight_;
        // An entry that the kernel doesn't take at once stays in the queue for the next submission.
        io_uring_submit(&ring_);
        wait();
    }

    void wait() {
        if (waiting_) return;
        waiting_ = true;
        event_.async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](boost::system::error_code error) {
                              self->waiting_ = false;
                              if (!error) self->drain();
                          });
    }

    void drain() {
        std::uint64_t count = 0;
        // Only resets the counter: the completion queue is what counts.
        [[maybe_unused]] auto const got = ::read(event_.native_handle(), &count, sizeof count);
        if (io_uring_sq_ready(&ring_) > 0) io_uring_submit(&ring_);
        auto const ended = reap();
        if (in_flight_ > 0) wait();
        for (auto* const flight : ended) {
            flight->complete();
            delete flight;
        }
    }

    std::vector<InFlight*> reap() {
        std::vector<InFlight*> ended;
        io_uring_cqe* entry = nullptr;
        while (io_uring_peek_cqe(&ring_, &entry) == 0) {
            auto const data = io_uring_cqe_get_data64(entry);
            auto* const flight = reinterpret_cast<InFlight*>(data & ~std::uint64_t{1});
            ((data & 1) != 0 ? flight->answers.linked : flight->answers.first) = entry->res;
            io_uring_cqe_seen(&ring_, entry);
            if (--flight->expected > 0) continue;
            --in_flight_;
            ended.push_back(flight);
        }
        return ended;
    }

    asio::posix::stream_descriptor event_;
    io_uring ring_{};
    bool usable_ = false;
    bool waiting_ = false;
    std::size_t in_flight_ = 0;
};

class RingFile final : public SegmentFile {
public:
    RingFile(std::shared_ptr<Ring> ring, int descriptor, std::unique_ptr<SegmentFile> slow)
        : ring_(std::move(ring)), descriptor_(descriptor), slow_(std::move(slow)) {}

    awaitable<Result<void>> write_at(std::uint64_t offset,
                                     std::span<std::byte const> bytes) override {
        return write(offset, bytes, false);
    }
    awaitable<Result<void>> write_and_sync(std::uint64_t offset,
                                           std::span<std::byte const> bytes) override {
        return write(offset, bytes, true);
    }

    awaitable<Result<void>> sync_data() override {
        auto const prepare = [fd = descriptor_](io_uring_sqe* entry) {
            io_uring_prep_fsync(entry, fd, IORING_FSYNC_DATASYNC);
        };
        auto const answers = co_await ring_->submit(prepare, descriptor_, false);
        if (answers.first < 0) co_return errno_error(-answers.first, "fdatasync");
        co_return Result<void>();
    }

    awaitable<Result<std::size_t>> read_at(std::uint64_t offset,
                                           std::span<std::byte> into) override {
        if (auto const count = read_from_cache(descriptor_, offset, into))
            co_return Result<std::size_t>(*count);
        std::size_t filled = 0;
        while (filled < into.size()) {
            auto const rest = into.subspan(filled);
            auto const prepare = [fd = descriptor_, rest, at = offset + filled](auto* entry) {
                io_uring_prep_read(entry, fd, rest.data(), static_cast<unsigned>(rest.size()), at);
            };
            auto const answers = co_await ring_->submit(prepare, descriptor_, false);
            if (answers.first == -EINTR || answers.first == -EAGAIN) continue;
            if (answers.first < 0) co_return errno_error(-answers.first, "read");
            if (answers.first == 0) break;
            filled += static_cast<std::size_t>(answers.first);
        }
        co_return Result<std::size_t>(filled);
    }

    awaitable<Result<void>> truncate(std::uint64_t bytes) override {
        return slow_->truncate(bytes);
    }
    awaitable<Result<void>> close() override { return slow_->close(); }

private:
    awaitable<Result<void>> write(std::uint64_t offset, std::span<std::byte const> bytes,
                                  bool sync_behind) {
        WriteProgress progress(offset, bytes);
        int synced = 0;
        while (!progress.complete()) {
            auto const rest = progress.rest();
            auto const prepare = [fd = descriptor_, rest, at = progress.offset()](auto* entry) {
                io_uring_prep_write(entry, fd, rest.data(), static_cast<unsigned>(rest.size()), at);
            };
            auto const answers = co_await ring_->submit(prepare, descriptor_, sync_behind);
            auto const good = progress.wrote(answers.first);
            if (!good) co_return good.error();
            synced = answers.linked;
            // A short write breaks the link: its sync never ran. Any other failure of the sync is
            // final, even if the write has to go on.
            if (synced < 0 && (progress.complete() || synced != -ECANCELED)) break;
        }
        if (synced < 0) co_return errno_error(-synced, "fdatasync");
        co_return Result<void>();
    }

    std::shared_ptr<Ring> ring_;
    int descriptor_;
    std::unique_ptr<SegmentFile> slow_;
};

std::unique_ptr<SegmentFile> Ring::make_file(int descriptor, std::unique_ptr<SegmentFile> slow) {
    return std::make_unique<RingFile>(shared_from_this(), descriptor, std::move(slow));
}

}  // namespace

std::shared_ptr<IoRing> make_io_ring(asio::any_io_executor executor) {
    auto const event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0) return nullptr;
    auto ring = std::make_shared<Ring>(std::move(executor), event);
    if (!ring->open()) return nullptr;
    return ring;
}

}  // namespace mailferry::store
