#pragma once

/// A disk in memory that can lose power, lie and refuse. Fault model:
/// - What write_at wrote is seen by readers at once and may vanish until sync_data has answered: of
///   each unsynced write every 512-byte sector survives a power loss or not, by the seed.
/// - A file's name may vanish until the directory was synced, and a removed name may come back.
/// - After the power is cut every operation fails, and nothing that follows reaches the disk.
/// - A sync that fails drops what it should have kept, and later syncs succeed (as ext4 does).

#include "store/segment_file.hpp"

#include "store/errno_error.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace mailferry::test {

using Bytes = std::vector<std::byte>;

class SimDisk {
public:
    enum class Op { create, write, sync, truncate, remove, sync_directory };
    struct Step {
        Op op;
        std::string name;
    };
    /// Answers the errno with which an operation fails, or nothing.
    using Fault = std::function<std::optional<int>(Step const&)>;

    explicit SimDisk(unsigned seed = 0) : state_(std::make_shared<State>()) {
        state_->random.seed(seed);
    }

    /// The directory as the spool gets it; all share this disk.
    std::shared_ptr<store::SegmentDirectory> directory() {
        return std::make_shared<Directory>(state_);
    }
    void cut_power_before(std::uint64_t op) { state_->cut_before_op = op; }
    /// From now on syncs succeed and keep nothing: for tests of the tests.
    void ignore_syncs() { state_->syncs_ignored = true; }
    bool crashed() const { return state_->crashed; }
    void set_fault(Fault fault) { state_->fault = std::move(fault); }
    std::vector<Step> const& steps() const { return state_->steps; }

    /// What a machine finds that starts again with this disk.
    SimDisk after_power_loss() {
        SimDisk next(static_cast<unsigned>(state_->random()));
        for (auto const& [name, file] : state_->files) {
            auto const there = file->name_synced || coin();
            if (there) next.state_->files[name] = std::make_shared<File>(file->survivor(*this));
        }
        for (auto const& [name, file] : state_->removed)
            if (coin() && !next.state_->files.contains(name))
                next.state_->files[name] = std::make_shared<File>(file->survivor(*this));
        return next;
    }

    std::map<std::string, Bytes> files() const {
        std::map<std::string, Bytes> found;
        for (auto const& [name, file] : state_->files) found[name] = file->content;
        return found;
    }
    void put_file(std::string const& name, Bytes bytes) {
        auto file = std::make_shared<File>();
        file->content = file->durable = std::move(bytes);
        file->name_synced = true;
        state_->files[name] = file;
    }
    void remove_file(std::string const& name) { state_->files.erase(name); }
    std::uint64_t bytes_allocated() const {
        std::uint64_t total = 0;
        for (auto const& [name, file] : state_->files) total += file->content.size();
        return total;
    }

private:
    struct Write {
        std::uint64_t offset;
        Bytes bytes;
    };

    struct File {
        Bytes content;  ///< As readers see it.
        Bytes durable;
        std::vector<Write> unsynced;
        bool name_synced = false;

        File survivor(SimDisk& disk) const {
            File file;
            file.durable = durable;
            auto const cut = content.size() < durable.size() && disk.coin();
            for (auto const& write : unsynced) {
                for (std::size_t at = 0; at < write.bytes.size(); at += 512) {
                    auto const count = std::min<std::size_t>(512, write.bytes.size() - at);
                    if (write.offset + at + count > file.durable.size() || disk.coin()) continue;
                    std::memcpy(file.durable.data() + write.offset + at, write.bytes.data() + at,
                                count);
                }
            }
            if (cut) file.durable.resize(content.size());
            file.content = file.durable;
            file.name_synced = true;
            return file;
        }
        void sync() {
            for (auto const& write : unsynced) {
                if (durable.size() < write.offset + write.bytes.size())
                    durable.resize(write.offset + write.bytes.size());
                std::memcpy(durable.data() + write.offset, write.bytes.data(), write.bytes.size());
            }
            unsynced.clear();
            durable.resize(content.size());
        }
    };

    struct State {
        std::mt19937 random;
        std::map<std::string, std::shared_ptr<File>> files;
        std::vector<std::pair<std::string, std::shared_ptr<File>>> removed;  ///< Not synced yet.
        std::uint64_t ops = 0, cut_before_op = ~std::uint64_t{0};
        bool crashed = false, syncs_ignored = false;
        Fault fault;
        std::vector<Step> steps;

        std::optional<Error> fail(Op op, std::string const& name) {
            if (ops++ >= cut_before_op) crashed = true;
            if (crashed) return Error{Errc::io_error, "power is off"};
            steps.push_back({op, name});
            if (!fault) return std::nullopt;
            auto const code = fault(steps.back());
            if (!code) return std::nullopt;
            return store::errno_error(*code, "injected");
        }
    };
    using StatePtr = std::shared_ptr<State>;

    bool coin() { return (state_->random() & 1) != 0; }

    class OpenFile final : public store::SegmentFile {
    public:
        OpenFile(StatePtr state, std::string name, std::shared_ptr<File> file)
            : state_(std::move(state)), name_(std::move(name)), file_(std::move(file)) {}

        awaitable<Result<void>> write_at(std::uint64_t offset,
                                         std::span<std::byte const> bytes) override {
            co_await asio::post(asio::use_awaitable);
            co_return write(offset, bytes);
        }
        awaitable<Result<void>> write_and_sync(std::uint64_t offset,
                                               std::span<std::byte const> bytes) override {
            co_await asio::post(asio::use_awaitable);
            if (auto const written = write(offset, bytes); !written) co_return written;
            co_await asio::post(asio::use_awaitable);
            co_return sync();
        }
        awaitable<Result<void>> sync_data() override {
            co_await asio::post(asio::use_awaitable);
            co_return sync();
        }
        awaitable<Result<void>> truncate(std::uint64_t bytes) override {
            co_await asio::post(asio::use_awaitable);
            if (auto const failed = state_->fail(Op::truncate, name_)) co_return *failed;
            file_->content.resize(bytes);
            co_return Result<void>();
        }
        awaitable<Result<std::size_t>> read_at(std::uint64_t offset,
                                               std::span<std::byte> into) override {
            if (state_->crashed) co_return Error{Errc::io_error, "power is off"};
            auto const& content = file_->content;
            auto const begin = std::min<std::uint64_t>(offset, content.size());
            auto const count = std::min<std::uint64_t>(into.size(), content.size() - begin);
            if (count > 0) std::memcpy(into.data(), content.data() + begin, count);
            co_return static_cast<std::size_t>(count);
        }
        awaitable<Result<void>> close() override {
            co_await asio::post(asio::use_awaitable);
            co_return Result<void>();
        }

    private:
        Result<void> write(std::uint64_t offset, std::span<std::byte const> bytes) {
            if (auto const failed = state_->fail(Op::write, name_)) return *failed;
            if (file_->content.size() < offset + bytes.size())
                file_->content.resize(offset + bytes.size());
            std::memcpy(file_->content.data() + offset, bytes.data(), bytes.size());
            file_->unsynced.push_back({offset, Bytes(bytes.begin(), bytes.end())});
            return {};
        }
        Result<void> sync() {
            if (auto const failed = state_->fail(Op::sync, name_)) {
                if (!state_->crashed) file_->unsynced.clear();
                return *failed;
            }
            if (!state_->syncs_ignored) file_->sync();
            return {};
        }

        StatePtr state_;
        std::string name_;
        std::shared_ptr<File> file_;
    };

    class Directory final : public store::SegmentDirectory {
    public:
        explicit Directory(StatePtr state) : state_(std::move(state)) {}

        awaitable<Result<std::unique_ptr<store::SegmentFile>>> create(
            std::string name, std::uint64_t bytes) override {
            co_await asio::post(asio::use_awaitable);
            if (auto const failed = state_->fail(Op::create, name)) co_return *failed;
            if (state_->files.contains(name)) co_return Error{Errc::io_error, "file exists"};
            auto file = std::make_shared<File>();
            file->content.resize(bytes);
            file->durable.resize(bytes);
            state_->files[name] = file;
            co_return std::make_unique<OpenFile>(state_, name, file);
        }
        awaitable<Result<std::unique_ptr<store::SegmentFile>>> open(std::string name) override {
            auto const place = state_->files.find(name);
            if (place == state_->files.end()) co_return Error{Errc::io_error, "no such file"};
            co_return std::make_unique<OpenFile>(state_, name, place->second);
        }
        awaitable<Result<void>> truncate(std::string name, std::uint64_t bytes) override {
            auto opened = co_await open(name);
            if (!opened) co_return opened.error();
            co_return co_await (*opened)->truncate(bytes);
        }
        awaitable<Result<void>> remove(std::string name) override {
            co_await asio::post(asio::use_awaitable);
            if (auto const failed = state_->fail(Op::remove, name)) co_return *failed;
            auto const place = state_->files.find(name);
            if (place == state_->files.end()) co_return Result<void>();
            state_->removed.emplace_back(*place);
            state_->files.erase(place);
            co_return Result<void>();
        }
        awaitable<Result<void>> sync() override {
            co_await asio::post(asio::use_awaitable);
            if (auto const failed = state_->fail(Op::sync_directory, "")) co_return *failed;
            if (state_->syncs_ignored) co_return Result<void>();
            for (auto const& [name, file] : state_->files) file->name_synced = true;
            state_->removed.clear();
            co_return Result<void>();
        }
        awaitable<Result<std::vector<store::SegmentEntry>>> list() override {
            std::vector<store::SegmentEntry> entries;
            for (auto const& [name, file] : state_->files)
                entries.push_back({name, file->content.size()});
            co_return entries;
        }
        std::string path() const override { return "sim"; }

    private:
        StatePtr state_;
    };

    StatePtr state_;
};

/// Bytes in memory as a file that can only be read.
class MemoryFile final : public store::SegmentFile {
public:
    explicit MemoryFile(Bytes const& bytes) : bytes_(bytes) {}
    awaitable<Result<void>> write_at(std::uint64_t, std::span<std::byte const>) override {
        return refused();
    }
    awaitable<Result<void>> write_and_sync(std::uint64_t, std::span<std::byte const>) override {
        return refused();
    }
    awaitable<Result<void>> sync_data() override { return refused(); }
    awaitable<Result<void>> truncate(std::uint64_t) override { return refused(); }
    awaitable<Result<void>> close() override { co_return Result<void>(); }
    awaitable<Result<std::size_t>> read_at(std::uint64_t offset,
                                           std::span<std::byte> into) override {
        auto const begin = std::min<std::uint64_t>(offset, bytes_.size());
        auto const count = std::min<std::uint64_t>(into.size(), bytes_.size() - begin);
        if (count > 0) std::memcpy(into.data(), bytes_.data() + begin, count);
        co_return static_cast<std::size_t>(count);
    }

private:
    static awaitable<Result<void>> refused() { co_return Error{Errc::io_error, "read only"}; }
    Bytes const& bytes_;
};

}  // namespace mailferry::test
