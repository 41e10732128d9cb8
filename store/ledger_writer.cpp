#include "store/ledger_writer.hpp"

#include <algorithm>
#include <iterator>

namespace mailferry::store {
namespace {

/// Bounds how long the first of a transaction waits for the last.
constexpr std::size_t operations_per_transaction_max = 512;

}  // namespace

LedgerWriter::LedgerWriter(Database database)
    : database_(std::move(database)), thread_([this] { run(); }) {}

LedgerWriter::~LedgerWriter() {
    {
        std::lock_guard const lock(mutex_);
        ending_ = true;
    }
    arrived_.notify_one();
    thread_.join();
}

awaitable<Result<void>> LedgerWriter::close() {
    return submit<void>(Kind::close, [](Database& database) { return database.close(); });
}

LedgerStats LedgerWriter::stats() const {
    std::lock_guard const lock(mutex_);
    return stats_;
}

void LedgerWriter::enqueue(std::unique_ptr<Operation> operation) {
    {
        std::lock_guard const lock(mutex_);
        MAILFERRY_ASSERT(!closed_ && !ending_);
        closed_ = operation->kind == Kind::close;
        queue_.push_back(std::move(operation));
    }
    arrived_.notify_one();
}

void LedgerWriter::run() {
    for (;;) {
        Batch batch;
        {
            std::unique_lock lock(mutex_);
            arrived_.wait(lock, [this] { return ending_ || !queue_.empty(); });
            if (queue_.empty()) return;
            auto const count = std::min(queue_.size(), operations_per_transaction_max);
            auto const end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
            batch.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
            queue_.erase(queue_.begin(), end);
        }
        // Reads first: inside the transaction they would see what may still be undone.
        Batch writes, last;
        for (auto& operation : batch) {
            if (operation->kind == Kind::write) writes.push_back(std::move(operation));
            else if (operation->kind == Kind::close) last.push_back(std::move(operation));
            else {
                operation->run(database_);
                operation->deliver();
            }
        }
        if (!writes.empty()) run_writes(writes);
        for (auto& operation : last) {
            operation->run(database_);
            operation->deliver();
        }
    }
}

void LedgerWriter::run_writes(Batch& writes) {
    auto const committed = poison_ ? Result<void>(*poison_) : run_transaction(writes);
    if (!committed) {
        if (committed.error().code == Errc::io_error && !poison_) poison_ = committed.error();
        for (auto& operation : writes)
            if (!operation->error()) operation->fail(committed.error());
    } else {
        auto const done = std::count_if(writes.begin(), writes.end(), [](auto const& operation) {
            return !operation->error();
        });
        std::lock_guard const lock(mutex_);
        stats_.writes += static_cast<std::uint64_t>(done);
        stats_.transactions += 1;
    }
    for (auto& operation : writes) operation->deliver();
}

Result<void> LedgerWriter::run_transaction(Batch& writes) {
    auto done = database_.query("BEGIN IMMEDIATE").run();
    for (auto& operation : writes) {
        if (!done) break;
        done = run_alone(*operation);
    }
    if (done) done = database_.query("COMMIT").run();
    if (!done && database_.in_transaction()) {
        auto const undone = database_.execute("ROLLBACK;");
        if (!undone) return undone.error();
    }
    return done;
}

/// Fails only if the whole transaction is lost with the operation.
Result<void> LedgerWriter::run_alone(Operation& operation) {
    auto kept = database_.query("SAVEPOINT one_operation").run();
    if (!kept) return kept;
    operation.run(database_);
    auto const error = operation.error();
    if (error && (!database_.in_transaction() || error->code == Errc::io_error)) return *error;
    if (error) return database_.execute("ROLLBACK TO one_operation; RELEASE one_operation;");
    return database_.query("RELEASE one_operation").run();
}

}  // namespace mailferry::store
