#pragma once

/// What the tests of the session interface share. Each runs against every service by its own
/// connector, over a relay, with the same assertions: what isn't asserted for both isn't in the
/// contract.

#include "tests/contract/doubles.hpp"
#include "tests/contract/service.hpp"

#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace mailferry::contract {

using transport::Folder;
using transport::ItemRef;
using transport::SourceSession;
using transport::TargetSession;

/// The value, or an exception that ends the test with the error's words.
template <class T>
T need(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().describe());
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <class T>
Disposition disposition_of_failure(Result<T> const& result) {
    EXPECT_FALSE(result);
    return result ? Disposition::stop_program : disposition_of(result.error().code);
}

/// Cures that are a matter of time, or of another session.
bool is_passing(Errc code);

/// Cancels at one step of a call; steps are what tick() is called for, the first is 0.
class Trigger {
public:
    Trigger(asio::any_io_executor executor, std::size_t fire_at)
        : executor_(std::move(executor)), fire_at_(fire_at) {}
    void tick();
    bool fired() const { return fired_; }
    asio::cancellation_slot slot() { return signal_->slot(); }

private:
    asio::any_io_executor const executor_;
    std::size_t const fire_at_;
    std::size_t steps_ = 0;
    bool fired_ = false;
    std::shared_ptr<asio::cancellation_signal> const signal_ =
        std::make_shared<asio::cancellation_signal>();
};

/// Calls that run side by side. join() must be awaited before what they use goes.
class Beside {
public:
    explicit Beside(asio::any_io_executor executor) : executor_(executor), ended_(executor) {}
    void start(awaitable<void> call);
    /// Resolves when all have ended; throws what the first one threw that threw.
    awaitable<void> join();

private:
    asio::any_io_executor const executor_;
    Event ended_;
    std::size_t running_ = 0;
    std::exception_ptr thrown_;
};

class ContractTest : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override;
    void TearDown() override;

    /// Runs `body` to its end; a body that never ends fails the test.
    void run(std::function<awaitable<void>()> body);
    /// Lets everything run that is ready.
    awaitable<void> settle();
    /// Whether `call` ended by being cancelled; other exceptions come through.
    awaitable<bool> is_cancelled(awaitable<void> call, Trigger& trigger);

    asio::any_io_executor executor() { return context_.get_executor(); }
    transport::Connector& connector(Side side);
    /// The next session comes from a connector that knows nothing yet.
    void forget_connectors(Temper temper = {});
    awaitable<std::unique_ptr<SourceSession>> open_source();
    awaitable<std::unique_ptr<TargetSession>> open_target();
    static transport::OpenMailbox whom(std::string mailbox);

    /// A name that no other folder of the run has, and its folder, made behind the sessions' backs.
    std::string fresh_name();
    std::string fresh_folder(Side side);
    /// Adds so many items of one size to a source folder; their dates.
    std::vector<std::int64_t> fill(std::string const& name, std::size_t count, std::size_t bytes);

    /// As folders() of the session tells it.
    awaitable<Folder> find(SourceSession& session, std::string name);
    awaitable<Folder> make(TargetSession& session, std::string name);
    /// All parts of a scan, the last answer.
    awaitable<transport::ScanResult> scan(SourceSession& session, Folder folder, Listing& listing,
                                          std::string since = {}, std::uint32_t items_max = 50'000);
    /// Items as a source hands them out, for a target to take.
    awaitable<std::vector<Copy>> stock(std::size_t count, std::size_t bytes);
    /// Dates of what list() finds.
    awaitable<std::vector<std::int64_t>> listed(TargetSession& session, Folder folder,
                                                transport::ListRequest request);
    /// That what is there is what the outcome says, and nothing twice.
    void expect_truth(std::string const& folder, std::vector<Copy> const& copies,
                      Result<transport::StoreResult> const& outcome, bool atomic_groups);

    asio::io_context context_{1};
    std::unique_ptr<Service> service_;
    std::unique_ptr<Relay> relay_;

private:
    Temper temper_;
    std::unique_ptr<transport::Connector> connectors_[2];
};

std::vector<std::int64_t> dates_of(std::vector<Copy> const& copies);

inline std::string service_name(testing::TestParamInfo<std::string> const& info) {
    return info.param;
}

}  // namespace mailferry::contract
