// The engine's stages by themselves, in memory and on a disk. Real messages are read from a folder:
//
//     MAILFERRY_BENCH_MESSAGES=FOLDER MAILFERRY_BENCH_FOLDER=FOLDER build/release/bin/micro
//
// MAILFERRY_BENCH_FOLDER is where spool and ledger are made; default: a temporary one.

#include "async/task_group.hpp"
#include "store/aead.hpp"
#include "store/blob_codec.hpp"
#include "store/little_endian.hpp"
#include "tests/support/ledger_values.hpp"
#include "tests/support/spool_values.hpp"
#include "transport/imap/response_parser.hpp"

#include <benchmark/benchmark.h>

#include <fcntl.h>
#include <unistd.h>
#include <cstdlib>
#include <fstream>

namespace mailferry {
namespace {

constexpr std::size_t messages_max = 2'000;
constexpr std::size_t group_items = 64;

/// Messages as a server holds them; synthetic words where no folder was named.
std::vector<std::string> const& messages() {
    static auto const all = [] {
        std::vector<std::string> found;
        auto const* const folder = std::getenv("MAILFERRY_BENCH_MESSAGES");
        for (unsigned i = 0; folder == nullptr && i < messages_max; ++i)
            found.push_back(test::words(5'000, i));
        if (folder == nullptr) return found;
        for (auto const& entry : std::filesystem::recursive_directory_iterator(folder)) {
            if (!entry.is_regular_file() || found.size() == messages_max) continue;
            std::ifstream in(entry.path(), std::ios::binary);
            found.emplace_back(std::istreambuf_iterator<char>(in),
                               std::istreambuf_iterator<char>());
        }
        return found;
    }();
    return all;
}

std::int64_t total_bytes() {
    std::int64_t bytes = 0;
    for (auto const& text : messages()) bytes += static_cast<std::int64_t>(text.size());
    return bytes;
}

/// All messages as one answer to UID FETCH, with or without their bodies.
std::string fetch_answer(bool bodies) {
    std::string wire = "* OK ready\r\n";
    unsigned number = 0;
    for (auto const& text : messages()) {
        ++number;
        wire += "* " + std::to_string(number) + " FETCH (UID " + std::to_string(number + 70) +
                " FLAGS (\\Seen $Work) INTERNALDATE \"18-Jul-2023 06:52:18 +0000\" RFC822.SIZE " +
                std::to_string(text.size());
        if (bodies) wire += " BODY[] {" + std::to_string(text.size()) + "}\r\n" + text;
        wire += ")\r\n";
    }
    return wire;
}

void parse(benchmark::State& state, bool bodies) {
    auto const wire = fetch_answer(bodies);
    for (auto _ : state) {
        imap::ResponseParser parser;
        std::string_view input = wire;
        std::size_t events = 0;
        while (!std::holds_alternative<imap::NeedMore>(parser.next(input))) ++events;
        benchmark::DoNotOptimize(events);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(wire.size()));
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(messages().size()));
}
void parse_bodies(benchmark::State& state) { parse(state, true); }
void parse_metadata(benchmark::State& state) { parse(state, false); }
BENCHMARK(parse_bodies);
BENCHMARK(parse_metadata);

/// Packs messages in blocks of at least `range(1)` bytes; 0: each by itself.
void pack(benchmark::State& state) {
    store::BlobCodec codec;
    auto const level = static_cast<int>(state.range(0));
    auto const block_bytes = static_cast<std::size_t>(state.range(1));
    std::size_t plain = 0, packed = 0;
    for (auto _ : state) {
        std::string block;
        for (auto const& text : messages()) {
            block += text;
            if (block.size() < block_bytes) continue;
            auto const smaller = codec.pack(store::bytes_of(block), level);
            plain += block.size();
            packed += smaller ? smaller->size() : block.size();
            block.clear();
        }
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(plain));
    state.counters["ratio"] = static_cast<double>(plain) / static_cast<double>(packed);
}
BENCHMARK(pack)->ArgNames({"level", "block"})->ArgsProduct({{1, 3}, {0, 256 << 10}});

void encrypt(benchmark::State& state) {
    store::Aead cipher(std::string(store::aead_key_bytes, 'k'));
    std::vector<std::byte> const plain(static_cast<std::size_t>(state.range(0)));
    std::vector<std::byte> out(plain.size() + store::aead_tag_bytes);
    store::Aead::Nonce const nonce{};
    for (auto _ : state) cipher.seal(nonce, {}, plain, out);
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(encrypt)->Arg(4 << 10)->Arg(128 << 10);

void digest(benchmark::State& state) {
    for (auto _ : state)
        for (auto const& text : messages()) benchmark::DoNotOptimize(sha256(text));
    state.SetBytesProcessed(state.iterations() * total_bytes());
}
BENCHMARK(digest);

std::filesystem::path disk_folder() {
    auto const* const named = std::getenv("MAILFERRY_BENCH_FOLDER");
    return named != nullptr ? named : std::filesystem::temp_directory_path();
}

/// The bytes of the last spool_append, for raw_write.
std::uint64_t spool_bytes = 0, spool_syncs = 0;

/// All messages into a spool and durable, in the default mode.
void spool_append(benchmark::State& state) {
    for (auto _ : state) {
        state.PauseTiming();
        auto const folder = disk_folder() / "mailferry-bench-spool";
        std::filesystem::remove_all(folder);
        asio::io_context context;
        store::RecoveredSpool report;
        store::SpoolOptions options;
        options.directory = folder;
        auto opened = test::run_in(context, store::open_spool(
                                                context.get_executor(), options, test::test_key(),
                                                {}, [](std::uint64_t) {}, report));
        auto& spool = **opened;
        state.ResumeTiming();
        test::run_in(context, [&]() -> awaitable<void> {
            store::SpoolLocation last;
            std::uint64_t item = 0;
            for (auto const& text : messages()) {
                ++item;
                static_cast<void>(co_await spool.reserve(text.size()));
                auto writer = co_await spool.begin_item(item, text.size(), store::ItemOwner{1});
                static_cast<void>(co_await (*writer)->write(store::bytes_of(text)));
                last = *co_await (*writer)->finish(test::digest_of(text), {});
            }
            static_cast<void>(co_await spool.durable(item, last));
        }());
        state.PauseTiming();
        auto const usage = spool.usage();
        spool_bytes = usage.bytes_written;
        spool_syncs = usage.syncs;
        test::run_in(context, spool.close());
        std::filesystem::remove_all(folder);
        state.ResumeTiming();
    }
    state.SetBytesProcessed(state.iterations() * total_bytes());
    state.counters["written"] = static_cast<double>(spool_bytes);
    state.counters["syncs"] = static_cast<double>(spool_syncs);
}
BENCHMARK(spool_append)->UseRealTime()->Unit(benchmark::kMillisecond);

/// What spool_append has to reach: as many bytes in as many pieces, each written and synced.
void raw_write(benchmark::State& state) {
    if (spool_syncs == 0) {
        state.SkipWithError("runs behind spool_append");
        return;
    }
    std::string const piece(spool_bytes / spool_syncs, 'r');
    auto const file = (disk_folder() / "mailferry-bench-raw").string();
    for (auto _ : state) {
        auto const fd = ::open(file.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
        for (std::uint64_t i = 0; i < spool_syncs; ++i)
            if (::write(fd, piece.data(), piece.size()) < 0 || ::fdatasync(fd) != 0)
                state.SkipWithError("the disk refuses");
        ::close(fd);
    }
    ::unlink(file.c_str());
    state.counters["written"] = static_cast<double>(spool_bytes);
}
BENCHMARK(raw_write)->UseRealTime()->Unit(benchmark::kMillisecond);

/// Intents of 64 items opened and closed as stored, eight at a time.
void ledger_intents(benchmark::State& state) {
    store::ScratchDirectory scratch;
    asio::io_context context;
    auto ledger = std::move(*store::open_sqlite_ledger(context.get_executor(), scratch.file()));
    auto const pair = *store::await(context, ledger->open_pair("m", "a", "b"));
    store::FolderRecord folder;
    folder.pair = pair.id;
    folder.source_id = "INBOX";
    auto const id = *store::await(context, ledger->save_folder(folder));
    std::uint64_t number = 0;
    auto const send = [&](std::uint64_t first) -> awaitable<void> {
        store::IntentRecord intent{.id = ledger->next_group_id(),
                                   .folder = id,
                                   .target_generation = "1",
                                   .target_next = first,
                                   .items = {}};
        std::vector<store::StoredRecord> stored;
        for (auto n = first; n < first + group_items; ++n) {
            intent.items.push_back(store::item_of(id, ledger->next_item_id(), n));
            intent.items.back().location = {};
            stored.push_back({n, n, n, 1'600'000'000, 5'000, {"\\Seen"}});
        }
        auto const group = intent.id;
        static_cast<void>(co_await ledger->open_intent(std::move(intent)));
        static_cast<void>(co_await ledger->close_intent(group, "1", std::move(stored), {}));
    };
    for (auto _ : state) {
        TaskGroup groups(context.get_executor());
        for (int i = 0; i < 8; ++i, number += group_items) groups.spawn(send(number + 1));
        store::await(context, groups.join());
    }
    store::await(context, ledger->close());
    state.SetItemsProcessed(static_cast<std::int64_t>(number));
}
BENCHMARK(ledger_intents)->UseRealTime();

}  // namespace
}  // namespace mailferry

BENCHMARK_MAIN();
