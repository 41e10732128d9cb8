#include "store/posix_directory.hpp"

#include "store/io_ring.hpp"
#include "tests/support/sanitized.hpp"
#include "tests/support/spool_values.hpp"
#include "tests/support/temporary_folder.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <sstream>

namespace mailferry::store {
namespace {

using test::mebibyte;
using test::sanitized;
using test::SpoolLife;
using test::TemporaryFolder;
using test::words;

std::string content_of(std::filesystem::path const& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

struct RealSpool {
    explicit RealSpool(std::filesystem::path const& path, bool io_uring,
                       SpoolLife::Settings settings = {}, std::vector<LiveItem> live = {})
        : context(std::make_shared<asio::io_context>()),
          life(context, *open_directory(context->get_executor(), path, io_uring), settings,
               std::move(live)) {}
    std::shared_ptr<asio::io_context> context;
    SpoolLife life;
};

class BackEndTest : public testing::TestWithParam<bool> {
protected:
    void SetUp() override {
        asio::io_context context;
        if (GetParam() && make_io_ring(context.get_executor()) == nullptr)
            GTEST_SKIP() << "io_uring is not available here";
    }
};
INSTANTIATE_TEST_SUITE_P(Spool, BackEndTest, testing::Bool(), [](auto const& test_case) {
    return test_case.param ? "io_uring" : "thread";
});

TEST_P(BackEndTest, ItemsComeBackInThisLifeAndTheNext) {
    TemporaryFolder const folder;
    std::vector<LiveItem> live;
    {
        RealSpool real(folder.path() / "spool", GetParam());
        for (std::uint64_t item = 0; item < 50; ++item) {
            auto const text = words(item * 3000, static_cast<unsigned>(item));
            auto const location = real.life.put(item, text);
            ASSERT_TRUE(location) << location.error().describe();
            ASSERT_TRUE(real.life.make_durable(*location));
            ASSERT_TRUE(*real.life.get(item, *location) == text);
            live.push_back({item, *location});
        }
    }
    struct stat status {};
    ASSERT_EQ(::stat((folder.path() / "spool").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700U);
    ASSERT_EQ(::stat((folder.path() / "spool" / segment_name(0, 1)).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);

    RealSpool next(folder.path() / "spool", GetParam(), {.incarnation = 2, .seed = 2}, live);
    EXPECT_TRUE(next.life.lost.empty());
    for (auto const& item : live)
        EXPECT_TRUE(*next.life.get(item.item, item.location) ==
                    words(item.item * 3000, static_cast<unsigned>(item.item)));
    for (auto const& item : live) next.life.spool->release(item.item, item.location);
    next.life.close();
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path() / "spool"), {}), 1)
        << "only the lock stays";
}

// A file size limit makes the kernel write a part and then refuse: what is done must be the same
// bytes at the same place, and the failure must be seen.
TEST_P(BackEndTest, AShortWriteIsSeen) {
    TemporaryFolder const folder;
    asio::io_context context;
    auto const directory =
        *open_directory(context.get_executor(), folder.path() / "spool", GetParam());
    auto file = *test::run_in(context, directory->create("seg", 4096));
    auto const text = words(20'000);
    auto* const previous_handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    rlimit const limit{10'000, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    auto const refused = test::run_in(context, file->write_and_sync(0, bytes_of(text)));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, previous_handler);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::io_error);
    EXPECT_EQ(content_of(folder.path() / "spool" / "seg"), text.substr(0, 10'000));
    ASSERT_TRUE(test::run_in(context, file->write_and_sync(0, bytes_of(text))));
    EXPECT_EQ(content_of(folder.path() / "spool" / "seg"), text);
    ASSERT_TRUE(test::run_in(context, file->close()));
}

TEST_P(BackEndTest, AnExistingFileIsNeverOpenedForWriting) {
    TemporaryFolder const folder;
    asio::io_context context;
    auto const directory =
        *open_directory(context.get_executor(), folder.path() / "spool", GetParam());
    ASSERT_TRUE(test::run_in(context, directory->create("seg", 4096)));
    EXPECT_FALSE(test::run_in(context, directory->create("seg", 4096)));
    EXPECT_FALSE(test::run_in(context, directory->open("missing")));
    auto file = *test::run_in(context, directory->open("seg"));
    EXPECT_FALSE(test::run_in(context, file->write_at(0, bytes_of("x"))));
}

TEST_P(BackEndTest, ASecondDaemonIsRefused) {
    TemporaryFolder const folder;
    asio::io_context context;
    auto first = open_directory(context.get_executor(), folder.path() / "spool", GetParam());
    ASSERT_TRUE(first);
    auto const second = open_directory(context.get_executor(), folder.path() / "spool", GetParam());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::invalid_config);
    EXPECT_NE(second.error().context.find("stop that one first"), std::string::npos);
    first->reset();
    EXPECT_TRUE(open_directory(context.get_executor(), folder.path() / "spool", GetParam()));
}

// Goal: a large item passes through without being held. Method: the process's peak may grow by the
// buffers only.
TEST_P(BackEndTest, ALargeItemStreamsInLittleMemory) {
    auto const size = (sanitized ? 10 : 150) * mebibyte;
    TemporaryFolder const folder;
    RealSpool real(folder.path() / "spool", GetParam(), {.max_bytes = 1024 * mebibyte});
    auto const piece = test::noise(64U << 10);
    rusage before{}, after{};
    ::getrusage(RUSAGE_SELF, &before);
    test::run_in(*real.context, [&]() -> awaitable<void> {
        EXPECT_TRUE(co_await real.life.spool->reserve(size));
        auto writer = co_await real.life.spool->begin_item(1, size);
        Sha256 digest;
        for (std::uint64_t written = 0; written < size; written += piece.size()) {
            EXPECT_TRUE(co_await (*writer)->write(bytes_of(piece)));
            digest.update(piece);
        }
        auto const sum = digest.finish();
        Sha256Digest given;
        std::memcpy(given.data(), sum.data(), given.size());
        auto const location = co_await (*writer)->finish(given, "");
        EXPECT_TRUE(location);
        auto source = real.life.spool->open_item(1, *location);
        std::uint64_t read = 0;
        for (;;) {
            auto const next = co_await (*source)->next();
            EXPECT_TRUE(next);
            if (!next || next->empty()) break;
            read += next->size();
        }
        EXPECT_EQ(read, size);
    }());
    ::getrusage(RUSAGE_SELF, &after);
    auto const growth_kib_max = sanitized ? 64 * 1024 : 24 * 1024;
    EXPECT_LT(after.ru_maxrss - before.ru_maxrss, growth_kib_max);
}

TEST_P(BackEndTest, SixThousandSmallItems) {
    TemporaryFolder const folder;
    RealSpool real(folder.path() / "spool", GetParam(), {.max_bytes = 256 * mebibyte});
    std::vector<std::string> texts;
    for (unsigned i = 0; i < 64; ++i) texts.push_back(words(4096, i));
    auto const began = std::chrono::steady_clock::now();
    auto const cpu_began = std::clock();
    test::run_in(*real.context, [&]() -> awaitable<void> {
        TaskGroup group(real.context->get_executor());
        for (std::uint64_t item = 0; item < 6000; ++item) {
            co_await group.wait_below(64);
            group.spawn(
                [](SpoolLife& life, std::uint64_t id, std::string const& text) -> awaitable<void> {
                    EXPECT_TRUE(co_await life.spool->reserve(text.size()));
                    auto writer = co_await life.spool->begin_item(id, text.size());
                    EXPECT_TRUE(co_await (*writer)->write(bytes_of(text)));
                    auto const location = co_await (*writer)->finish({}, "INBOX/1");
                    writer->reset();
                    EXPECT_TRUE(co_await life.spool->durable(id, *location));
                }(real.life, item, texts[item % texts.size()]));
        }
        co_await group.join();
    }());
    auto const took = std::chrono::steady_clock::now() - began;
    auto const usage = real.life.spool->usage();
    std::cout << "6000 items of 4 KiB: "
              << std::chrono::duration_cast<std::chrono::milliseconds>(took).count()
              << " ms, processor " << (std::clock() - cpu_began) * 1000 / CLOCKS_PER_SEC
              << " ms, syncs " << usage.syncs << ", bytes " << usage.bytes_written << '\n';
    EXPECT_EQ(usage.items_live, 6000U);
    EXPECT_LT(usage.syncs, 6000U / 16);
}

// Goal: the back end leaves no trace in the file. Method: the same items, key, clock and
// randomness.
TEST(BackEndsTest, LeaveEqualSegments) {
    TemporaryFolder const folder;
    for (auto const io_uring : {false, true}) {
        auto const path = folder.path() / (io_uring ? "ring" : "thread");
        RealSpool real(path, io_uring);
        for (std::uint64_t item = 0; item < 30; ++item) {
            auto const location = real.life.put(item, words(item * 5000));
            ASSERT_TRUE(location);
            ASSERT_TRUE(real.life.make_durable(*location));
        }
    }
    std::size_t segments = 0;
    for (auto const& entry : std::filesystem::directory_iterator(folder.path() / "thread")) {
        if (entry.path().filename() == "LOCK") continue;
        ++segments;
        EXPECT_TRUE(content_of(entry.path()) ==
                    content_of(folder.path() / "ring" / entry.path().filename()));
    }
    EXPECT_GE(segments, 1U);
}

}  // namespace
}  // namespace mailferry::store
