#pragma once

/// What the spool's tests share: a spool on a given disk with clock and randomness from a seed, and
/// items made from numbers.

#include "config/base/crypto.hpp"
#include "store/little_endian.hpp"
#include "store/spool_core.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace mailferry::test {

/// Runs the context until `task` has ended, then whatever else is ready.
template <class T>
T run_in(asio::io_context& context, awaitable<T> task) {
    std::optional<T> result;
    asio::co_spawn(
        context,
        [](awaitable<T> inner, std::optional<T>& out) -> awaitable<void> {
            out.emplace(co_await std::move(inner));
        }(std::move(task), result),
        [](std::exception_ptr failure) {
            if (failure) std::rethrow_exception(failure);
        });
    context.restart();
    context.run();
    return std::move(*result);
}

inline void run_in(asio::io_context& context, awaitable<void> task) {
    asio::co_spawn(context, std::move(task), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
    });
    context.restart();
    context.run();
}

class ManualClock final : public Clock {
public:
    std::chrono::system_clock::time_point now() const override {
        return std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
    }
    std::chrono::steady_clock::time_point steady() const override { return steady_; }
    void advance(std::chrono::seconds by) { steady_ += by; }

private:
    std::chrono::steady_clock::time_point steady_{std::chrono::seconds(1000)};
};

inline std::function<void(std::span<std::uint8_t>)> random_from(unsigned seed) {
    return [generator = std::mt19937(seed)](std::span<std::uint8_t> out) mutable {
        for (auto& byte : out) byte = static_cast<std::uint8_t>(generator());
    };
}

inline store::Sha256Digest digest_of(std::string_view text) {
    auto const sum = sha256(text);
    store::Sha256Digest digest;
    std::memcpy(digest.data(), sum.data(), digest.size());
    return digest;
}

inline Secret test_key(char fill = 'k') { return Secret(std::string(32, fill)); }

inline constexpr std::uint64_t mebibyte = 1U << 20;

/// One life of a daemon's spool.
class SpoolLife {
public:
    struct Settings {
        std::uint64_t max_bytes = 8 * mebibyte;
        std::optional<std::uint64_t> low_water = {};
        std::uint64_t incarnation = 1;
        unsigned seed = 1;
        char key = 'k';
        std::byte uuid{0x55};
        config::SpoolMode mode = config::SpoolMode::always;
    };

    explicit SpoolLife(std::shared_ptr<store::SegmentDirectory> directory)
        : SpoolLife(std::move(directory), Settings()) {}
    SpoolLife(std::shared_ptr<store::SegmentDirectory> directory, Settings settings,
              std::vector<store::LiveItem> live = {})
        : SpoolLife(std::make_shared<asio::io_context>(), std::move(directory), settings,
                    std::move(live)) {}
    /// For directories that need an executor of their own.
    SpoolLife(std::shared_ptr<asio::io_context> io,
              std::shared_ptr<store::SegmentDirectory> directory, Settings settings,
              std::vector<store::LiveItem> live = {})
        : context_(std::move(io)) {
        store::SpoolEnvironment environment;
        environment.directory = std::move(directory);
        environment.clock = &clock;
        environment.random = random_from(settings.seed);
        environment.disk_full_retry = std::chrono::milliseconds(5);
        store::SpoolOptions options;
        options.settings.max_bytes.value = settings.max_bytes;
        if (settings.low_water) options.settings.low_water = ByteCount{*settings.low_water};
        options.settings.mode = settings.mode;
        options.uuid.fill(settings.uuid);
        options.incarnation = settings.incarnation;
        auto opened =
            run_in(context(), store::open_spool_in(
                                  std::move(environment), context().get_executor(),
                                  std::move(options), test_key(settings.key), std::move(live),
                                  [this](std::uint64_t item) { lost.push_back(item); }, report));
        if (opened)
            spool = std::move(*opened);
        else
            refusal = opened.error();
    }
    SpoolLife(SpoolLife const&) = delete;
    SpoolLife& operator=(SpoolLife const&) = delete;
    ~SpoolLife() { close(); }

    void close() {
        if (spool == nullptr) return;
        run_in(context(), spool->close());
        spool.reset();
    }
    asio::io_context& context() { return *context_; }

    Result<store::SpoolLocation> put(std::uint64_t item, std::string const& text,
                                     std::string meta = "meta", store::ItemOwner owner = {}) {
        return run_in(context(), put_task(item, text, std::move(meta), owner));
    }
    /// `item` matters only where the item has an owner.
    Result<store::SpoolLocation> make_durable(store::SpoolLocation location,
                                              std::uint64_t item = 0) {
        return run_in(context(), spool->durable(item, location));
    }
    Result<std::string> get(std::uint64_t item, store::SpoolLocation location) {
        return run_in(context(), get_task(item, location));
    }

    awaitable<Result<store::SpoolLocation>> put_task(std::uint64_t item, std::string text,
                                                     std::string meta,
                                                     store::ItemOwner owner = {}) {
        auto const reserved = co_await spool->reserve(text.size());
        if (!reserved) co_return reserved.error();
        auto writer = co_await spool->begin_item(item, text.size(), owner);
        if (!writer) co_return writer.error();
        auto const written = co_await (*writer)->write(store::bytes_of(text));
        if (!written) co_return written.error();
        co_return co_await (*writer)->finish(digest_of(text), std::move(meta));
    }
    awaitable<Result<std::string>> get_task(std::uint64_t item, store::SpoolLocation location) {
        auto source = spool->open_item(item, location);
        if (!source) co_return source.error();
        std::string text;
        for (;;) {
            auto const piece = co_await (*source)->next();
            if (!piece) co_return piece.error();
            if (piece->empty()) co_return text;
            text.append(store::text_of(*piece));
        }
    }

    ManualClock clock;
    std::unique_ptr<store::Spool> spool;
    std::optional<Error> refusal;
    std::vector<std::uint64_t> lost;
    store::RecoveredSpool report;

private:
    std::shared_ptr<asio::io_context> context_;
};

/// Text that packs to about half, different for each seed.
inline std::string words(std::size_t bytes, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::string text;
    text.reserve(bytes + 16);
    while (text.size() < bytes) {
        auto word = random();
        for (int i = 0; i < 7; ++i, word >>= 4) text.push_back("etaoinshrdlucmfw"[word & 15]);
        text.push_back(' ');
    }
    text.resize(bytes);
    return text;
}

/// Bytes that don't pack at all.
inline std::string noise(std::size_t bytes, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::string text(bytes, '\0');
    for (auto& c : text) c = static_cast<char>(random());
    return text;
}

}  // namespace mailferry::test
