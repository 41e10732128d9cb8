#pragma once

/// The ledger's thread: the only one that touches the database once it runs.

#include "async/asio.hpp"
#include "config/base/assert.hpp"
#include "store/ledger_statements.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/execution/outstanding_work.hpp>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace mailferry::store {

struct LedgerStats {
    std::uint64_t writes = 0;        ///< Writing operations that succeeded.
    std::uint64_t transactions = 0;  ///< Commits, and so fsyncs, that they shared.
};

/// Runs operations on a thread of its own. Group commit without a timer: while one transaction
/// commits, what arrives is collected and goes into the next one, so a lone write is durable at
/// once and load makes transactions large by itself.
///
/// read() and write() may be called from any thread; each resolves on the executor of the coroutine
/// that awaits it, which must outlive this object. A write resolves after its transaction is
/// durable. A write that fails undoes itself alone; a commit that fails, all that shared it. After
/// an I/O error no further write is tried (the kernel may have dropped what it couldn't write).
/// Cancellation is not looked at: an operation that was begun ends, within milliseconds.
class LedgerWriter {
public:
    explicit LedgerWriter(Database database);
    /// Ends what is queued, then the thread. Without close() the log is not checkpointed.
    ~LedgerWriter();
    LedgerWriter(LedgerWriter const&) = delete;
    LedgerWriter& operator=(LedgerWriter const&) = delete;

    /// `work`: Result<T>(Database&), run outside a transaction; sees only what is committed.
    template <class T, class Work>
    awaitable<Result<T>> read(Work work) {
        return submit<T>(Kind::read, std::move(work));
    }
    /// `work`: Result<T>(Database&), run inside a transaction that it shares.
    template <class T, class Work>
    awaitable<Result<T>> write(Work work) {
        return submit<T>(Kind::write, std::move(work));
    }
    /// Behind everything queued before it: checkpoints and closes. Nothing may follow.
    awaitable<Result<void>> close();

    LedgerStats stats() const;

private:
    enum class Kind { read, write, close };

    class Operation {
    public:
        explicit Operation(Kind what) : kind(what) {}
        virtual ~Operation() = default;
        virtual void run(Database& database) = 0;
        /// The error that run() ended with, or fail() put in its place.
        virtual std::optional<Error> error() const = 0;
        virtual void fail(Error const& error) = 0;
        /// Hands the result to the executor of whoever waits.
        virtual void deliver() = 0;
        Kind const kind;
    };
    using Batch = std::vector<std::unique_ptr<Operation>>;

    template <class T, class Work, class Handler>
    class Pending final : public Operation {
    public:
        Pending(Kind what, Work work, Handler handler)
            : Operation(what), work_(std::move(work)), handler_(std::move(handler)),
              executor_(asio::prefer(asio::get_associated_executor(handler_),
                                     asio::execution::outstanding_work.tracked)) {}

        void run(Database& database) override { result_.emplace(work_(database)); }
        std::optional<Error> error() const override {
            if (!result_ || !result_->has_error()) return {};
            return result_->error();
        }
        void fail(Error const& error) override { result_.emplace(error); }
        void deliver() override {
            MAILFERRY_ASSERT(result_.has_value());
            asio::post(executor_, [handler = std::move(handler_),
                                   result = std::move(*result_)]() mutable {
                std::move(handler)(std::move(result));
            });
        }

    private:
        Work work_;
        Handler handler_;
        asio::any_io_executor executor_;
        std::optional<Result<T>> result_;
    };

    template <class T, class Work>
    awaitable<Result<T>> submit(Kind kind, Work work) {
        return asio::async_initiate<asio::use_awaitable_t<> const, void(Result<T>)>(
            [this, kind](auto handler, Work begun) {
                using Handler = decltype(handler);
                enqueue(std::make_unique<Pending<T, Work, Handler>>(kind, std::move(begun),
                                                                    std::move(handler)));
            },
            asio::use_awaitable, std::move(work));
    }

    void enqueue(std::unique_ptr<Operation> operation);
    void run();
    void run_writes(Batch& writes);
    Result<void> run_transaction(Batch& writes);
    Result<void> run_alone(Operation& operation);

    Database database_;  ///< Of the thread, while that runs.
    std::optional<Error> poison_;  ///< Of the thread. Set once; every later write ends with it.

    std::mutex mutable mutex_;
    std::condition_variable arrived_;
    Batch queue_;            ///< Guarded by mutex_, as the following.
    bool ending_ = false;
    bool closed_ = false;
    LedgerStats stats_;

    std::thread thread_;     ///< Last: it uses all the others.
};

}  // namespace mailferry::store
