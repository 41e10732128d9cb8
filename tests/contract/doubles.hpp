#pragma once

/// The engine's part of the session interface, as small as a test needs it.

#include "transport/session.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mailferry::contract {

/// What a folder holds by all that scans have told so far.
class Listing final : public transport::ScanSink {
public:
    void item(transport::ItemMeta meta) override;
    void vanished(transport::ItemNumber first, transport::ItemNumber last) override;
    void vanished_item(std::string const& name) override;

    void begin();
    /// After the last part of a scan.
    void end(transport::ScanResult const& result);

    /// Of what is there, in ascending order.
    std::vector<std::int64_t> dates() const;
    /// Of what the last scan listed, in ascending order, each once.
    std::vector<std::int64_t> dates_listed() const;
    /// Of what is there, numbered as the engine does it where items have names.
    std::vector<transport::ItemRef> refs() const;

private:
    std::map<std::string, transport::ItemMeta> items_, listed_;
};

/// One item as a source has handed it out.
struct Copy {
    transport::ItemMeta meta;
    std::string bytes;
};

/// Keeps what a fetch delivers, and fails the test where the order of calls is broken.
class Receiver final : public transport::ItemReceiver {
public:
    ~Receiver() override;
    awaitable<Result<void>> begin(std::uint64_t bytes_max) override;
    awaitable<Result<void>> piece(std::span<std::byte const> bytes) override;
    awaitable<Result<void>> end(transport::ItemMeta meta) override;
    void failed(transport::ItemNumber number, Error error) override;

    /// The call is over: whatever comes now comes too late.
    void close() { closed_ = true; }

    /// Awaited in each call; its error is answered.
    std::function<awaitable<Result<void>>()> on_step;
    std::map<std::int64_t, Copy> items;  ///< By received date.
    std::map<transport::ItemNumber, Error> failures;
    std::vector<std::int64_t> dates() const;

private:
    awaitable<Result<void>> step();
    bool open_ = false;
    bool closed_ = false;
    std::uint64_t bytes_max_ = 0;
    std::string bytes_;
};

class CopyReader final : public transport::ItemReader {
public:
    explicit CopyReader(std::string bytes) : bytes_(std::move(bytes)) {}
    std::uint64_t size() const override { return bytes_.size(); }
    awaitable<Result<std::span<std::byte const>>> next() override;
    void rewind() override { place_ = 0; }

    /// Called before each piece.
    std::function<void()> on_step;

private:
    std::string const bytes_;
    std::size_t place_ = 0;
};

/// `on_step` is called before each piece of each item.
std::vector<transport::StoreItem> items_of(std::vector<Copy> const& copies,
                                           std::function<void()> on_step = {});

/// Counts, and answers `answer`.
transport::BeforeCommit commit(std::size_t& calls, Result<void> answer = {},
                               std::function<void()> on_call = {});

}  // namespace mailferry::contract
