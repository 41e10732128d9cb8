#pragma once

/// A group of items under one intent, and the gate that its last octet waits at.

#include "daemon/mailbox_run.hpp"
#include "daemon/quarantine.hpp"

namespace mailferry::daemon {

struct MailboxRun::Group {
    std::vector<PendingPtr> items;  ///< In sending order.
    store::GroupId intent{};
};

/// Opens an intent in the ledger and lets others wait until it is durable.
class IntentGate {
public:
    explicit IntentGate(asio::any_io_executor executor) : opened_(std::move(executor)) {}

    awaitable<void> open(store::Ledger& ledger, store::IntentRecord intent) {
        answer_ = co_await ledger.open_intent(std::move(intent));
        opened_.notify_all();
    }
    awaitable<Result<void>> wait() {
        while (!answer_) co_await opened_.wait();
        co_return *answer_;
    }
    /// After open() has ended: why the ledger could not take the intent.
    std::optional<Error> failure() const {
        if (!answer_ || *answer_) return std::nullopt;
        return answer_->error();
    }

private:
    std::optional<Result<void>> answer_;
    Event opened_;
};

}  // namespace mailferry::daemon
