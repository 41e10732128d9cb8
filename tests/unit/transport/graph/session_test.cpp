#include "fake_graph.hpp"
#include "receiver.hpp"
#include "transport/graph/connector.hpp"
#include "transport/graph/source_session.hpp"
#include "transport/graph/target_session.hpp"

#include <gmock/gmock.h>

namespace mailferry::graph {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class Sink final : public transport::ScanSink {
public:
    void item(transport::ItemMeta meta) override { items[meta.name] = std::move(meta); }
    void vanished(transport::ItemNumber, transport::ItemNumber) override {}
    void vanished_item(std::string const& name) override { gone.push_back(name); }
    std::map<std::string, transport::ItemMeta> items;
    std::vector<std::string> gone;
};

class TextReader final : public transport::ItemReader {
public:
    explicit TextReader(std::string text) : text_(std::move(text)) {}
    std::uint64_t size() const override { return text_.size(); }
    awaitable<Result<std::span<std::byte const>>> next() override {
        auto const rest = std::as_bytes(std::span(text_)).subspan(at_);
        auto const piece = rest.first(std::min<std::size_t>(rest.size(), 5));
        at_ += piece.size();
        co_return piece;
    }
    void rewind() override { at_ = 0; }

private:
    std::string text_;
    std::size_t at_ = 0;
};

transport::StoreItem item_of(std::string text, std::string replaces = {}) {
    transport::StoreItem item;
    item.reader = std::make_shared<TextReader>(std::move(text));
    item.replaces = std::move(replaces);
    return item;
}

class SessionTest : public testing::Test {
protected:
    SessionTest() : graph_(io_) {}

    /// Runs `body` with sessions that are open for a mailbox.
    void run(
        std::function<awaitable<void>(transport::SourceSession&, transport::TargetSession&)> body) {
        bool ended = false;
        asio::co_spawn(
            io_,
            [&]() -> awaitable<void> {
                auto source = co_await connector().connect_source();
                auto target = co_await connector().connect_target();
                EXPECT_TRUE(source && target);
                if (!source || !target) co_return;
                transport::OpenMailbox const whom{"a@x.example", nullptr};
                EXPECT_TRUE(co_await (*source)->open(whom));
                EXPECT_TRUE(co_await (*target)->open(whom));
                graph_.seen.clear();
                co_await body(**source, **target);
                co_await (*source)->close();
                co_await (*target)->close();
                ended = true;
            },
            [&](std::exception_ptr failure) {
                EXPECT_FALSE(failure);
                graph_.stop();
                io_.stop();
            });
        io_.run_for(std::chrono::seconds(20));
        EXPECT_TRUE(ended);
    }

    Connector& connector() {
        if (connector_) return *connector_;
        config::Tenant tenant;
        tenant.tls = config::Tls::none;
        tenant.host = "127.0.0.1:" + std::to_string(graph_.port());
        tenant.authority = "http://" + tenant.host;
        tenant.tenant_id = "11111111-2222-3333-4444-555555555555";
        config::Admin admin;
        admin.auth = config::Auth::app_secret;
        admin.client_id = "app1";
        ConnectorOptions options;
        options.limits.backoff_first = milliseconds(10);
        options.limits.attempts_max = 4;
        connector_ = std::make_unique<Connector>(io_.get_executor(), tenant, admin,
                                                 Secret("secret"), options);
        return *connector_;
    }

    static transport::Folder at(std::string id) {
        transport::Folder folder;
        folder.id = std::move(id);
        return folder;
    }
    static transport::BeforeCommit commit() {
        return []() -> awaitable<Result<void>> { co_return Result<void>{}; };
    }
    /// Answers the first `count` requests whose target holds `part` with `reply`.
    void once(std::string part, Reply reply, int count = 1) {
        graph_.intercept = [part, reply, count](Exchange const& exchange) mutable {
            bool const meant = exchange.target.find(part) != std::string::npos && count > 0;
            if (meant) --count;
            return meant ? std::optional(reply) : std::nullopt;
        };
    }

    asio::io_context io_;
    FakeGraph graph_;
    std::unique_ptr<Connector> connector_;
};

TEST_F(SessionTest, ListsFoldersWithRolesWhateverTheirLanguage) {
    graph_.folders.push_back({"k", "Kunden", "IPF.Note", "inbox-id", "", {}});
    run([&](transport::SourceSession& source, transport::TargetSession&) -> awaitable<void> {
        auto const folders = co_await source.folders();
        EXPECT_TRUE(folders);
        if (!folders) co_return;
        EXPECT_THAT(*folders, SizeIs(3));
        EXPECT_EQ((*folders)[0].role, transport::FolderRole::inbox);
        EXPECT_THAT((*folders)[1].path, ElementsAre("Posteingang", "Kunden"));
        EXPECT_EQ((*folders)[2].role, transport::FolderRole::calendar);
        EXPECT_THAT(graph_.seen, SizeIs(2));
    });
    for (auto const& exchange : graph_.seen) {
        EXPECT_EQ(exchange.headers.at("prefer"), "IdType=\"ImmutableId\"");
        EXPECT_EQ(exchange.headers.at("client-request-id").size(), 36u);
    }
}

TEST_F(SessionTest, AWholeListingJoinsTheRoundWithThePages) {
    graph_.fill("inbox-id", 8);
    graph_.hidden_in_lists = {"inbox-id-4"};
    run([&](transport::SourceSession& source, transport::TargetSession&) -> awaitable<void> {
        Sink sink;
        transport::ScanRequest request;
        request.items_max = 4;
        std::string mark;
        int parts = 0;
        for (;; ++parts) {
            auto const page = co_await source.scan(at("inbox-id"), request, sink);
            EXPECT_TRUE(page);
            if (!page) co_return;
            EXPECT_TRUE(page->complete);
            EXPECT_EQ(page->generation, "MBX:1@2");
            if (mark.empty()) mark = page->mark;
            EXPECT_EQ(page->mark, mark);
            if (page->next == 0) break;
            request.from = page->next;
        }
        EXPECT_GE(parts, 1);
        EXPECT_THAT(sink.items, SizeIs(8));
        auto const& meta = sink.items["inbox-id-4"];
        EXPECT_EQ(meta.version, "key of inbox-id-4");
        EXPECT_EQ(meta.received.unix_seconds, 1767601800);
        EXPECT_EQ(meta.identity.size(), 40u);
        EXPECT_NE(mark.find("deltatoken"), std::string::npos);
        EXPECT_THAT(graph_.requests("/items/inbox-id-4?"), SizeIs(1));
    });
}

TEST_F(SessionTest, ChangesCostOneRequestWhereNothingChanged) {
    graph_.fill("inbox-id", 8);
    run([&](transport::SourceSession& source, transport::TargetSession&) -> awaitable<void> {
        Sink sink;
        transport::ScanRequest request;
        auto page = co_await source.scan(at("inbox-id"), request, sink);
        EXPECT_TRUE(page);
        if (!page) co_return;
        request.since_mark = page->mark;
        graph_.seen.clear();
        Sink none;
        page = co_await source.scan(at("inbox-id"), request, none);
        EXPECT_TRUE(page && !page->complete && page->next == 0);
        EXPECT_THAT(none.items, IsEmpty());
        EXPECT_THAT(graph_.seen, SizeIs(1));
        graph_.changed = {"inbox-id-2", "inbox-id-2", "moved away meanwhile"};
        graph_.removed = {"inbox-id-7"};
        Sink changes;
        page = co_await source.scan(at("inbox-id"), request, changes);
        EXPECT_TRUE(page);
        EXPECT_THAT(changes.items, SizeIs(1));
        EXPECT_THAT(changes.items, testing::Contains(testing::Key("inbox-id-2")));
        EXPECT_THAT(changes.gone, ElementsAre("inbox-id-7"));
    });
}

TEST_F(SessionTest, AnExpiredMarkMeansAWholeListing) {
    graph_.fill("inbox-id", 4);
    once("deltatoken=old", {410, R"({"error":{"code":"SyncStateNotFound"}})"});
    run([&](transport::SourceSession& source, transport::TargetSession&) -> awaitable<void> {
        Sink sink;
        transport::ScanRequest request;
        request.since_mark = "http://127.0.0.1:" + std::to_string(graph_.port()) +
                             "/v1.0/admin/exchange/mailboxes/MBX:1@2/folders/inbox-id/items/"
                             "delta?$deltatoken=old";
        auto const page = co_await source.scan(at("inbox-id"), request, sink);
        EXPECT_TRUE(page && page->complete);
        EXPECT_THAT(sink.items, SizeIs(4));
    });
}

TEST_F(SessionTest, FetchesInBatchesAndLeavesOutWhatIsGone) {
    graph_.fill("inbox-id", 25);
    run([&](transport::SourceSession& source, transport::TargetSession&) -> awaitable<void> {
        std::vector<transport::ItemRef> refs;
        for (unsigned i = 0; i < 25; ++i)
            refs.push_back(ref_to("inbox-id-" + std::to_string(i), i + 1, 20));
        refs.push_back(ref_to("gone", 26, 20));
        KeepingReceiver receiver;
        auto const fetched =
            co_await source.fetch(at("inbox-id"), "MBX:1@2", std::move(refs), receiver);
        EXPECT_TRUE(fetched);
        EXPECT_THAT(receiver.items, SizeIs(25));
        EXPECT_THAT(receiver.failures, IsEmpty());
        EXPECT_EQ(receiver.items["inbox-id-3"].bytes, "data of inbox-id-3");
        EXPECT_EQ(receiver.items["inbox-id-3"].meta.version, "key of inbox-id-3");
        EXPECT_THAT(graph_.requests("exportItems"), SizeIs(2));
        std::vector<transport::ItemRef> const none;
        auto const other = co_await source.fetch(at("inbox-id"), "MBX:9@9", none, receiver);
        EXPECT_TRUE(!other && other.error().code == Errc::folder_replaced);
    });
}

TEST_F(SessionTest, HalvesABatchThatIsTooMuch) {
    graph_.fill("inbox-id", 8);
    graph_.intercept = [](Exchange const& exchange) -> std::optional<Reply> {
        bool const many = std::count(exchange.body.begin(), exchange.body.end(), ',') > 1;
        if (exchange.target.ends_with("exportItems") && many) return Reply{413};
        return std::nullopt;
    };
    run([&](transport::SourceSession& source, transport::TargetSession&) -> awaitable<void> {
        std::vector<transport::ItemRef> refs;
        for (unsigned i = 0; i < 8; ++i)
            refs.push_back(ref_to("inbox-id-" + std::to_string(i), i + 1, 20));
        KeepingReceiver receiver;
        EXPECT_TRUE(co_await source.fetch(at("inbox-id"), "MBX:1@2", std::move(refs), receiver));
        EXPECT_THAT(receiver.items, SizeIs(8));
    });
}

TEST_F(SessionTest, RepeatsWhatBrokeAndRenewsARefusedToken) {
    graph_.fill("inbox-id", 2);
    int number = 0;
    graph_.intercept = [&](Exchange const& exchange) -> std::optional<Reply> {
        if (exchange.target.find("/folders") == std::string::npos) return std::nullopt;
        switch (++number) {
        case 1: return Reply{401, "{}", {{"WWW-Authenticate", "Bearer error=\"invalid_token\""}}};
        case 2: return Reply{.drop = true};
        case 3: return Reply{500, "<html>", {}};
        case 4: return Reply{503, "{}", {{"Retry-After", "0.1"}}};
        default: return std::nullopt;
        }
    };
    run([&](transport::SourceSession& source, transport::TargetSession&) -> awaitable<void> {
        auto const begun = std::chrono::steady_clock::now();
        auto const folders = co_await source.folders();
        EXPECT_TRUE(folders);
        EXPECT_THAT(graph_.requests("/token"), SizeIs(1));
        EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(100));
    });
}

TEST_F(SessionTest, AMailboxThatIsntThereIsRefused) {
    run([&](transport::SourceSession& source, transport::TargetSession&) -> awaitable<void> {
        once("/users/", {404, R"({"error":{"code":"ResourceNotFound"}})"});
        transport::OpenMailbox const whom{"nobody@x.example", nullptr};
        auto const opened = co_await source.open(whom);
        EXPECT_FALSE(opened);
        if (opened) co_return;
        EXPECT_EQ(opened.error().code, Errc::mailbox_refused);
        EXPECT_NE(opened.error().context.find("licence"), std::string::npos);
        once("/users/", {403, R"({"error":{"code":"ErrorAccessDenied"}})"});
        auto const denied = co_await source.open(whom);
        EXPECT_TRUE(!denied && denied.error().code == Errc::mailbox_refused);
    });
}

TEST_F(SessionTest, StoresAfterOneCommitAndWithoutAToken) {
    run([&](transport::SourceSession&, transport::TargetSession& target) -> awaitable<void> {
        std::vector<transport::StoreItem> items;
        for (int i = 0; i < 9; ++i) items.push_back(item_of("content " + std::to_string(i)));
        items.push_back(item_of("corrupt"));
        int commits = 0;
        transport::BeforeCommit const before = [&]() -> awaitable<Result<void>> {
            ++commits;
            asio::steady_timer timer(io_, milliseconds(50));
            co_await timer.async_wait(asio::use_awaitable);
            EXPECT_THAT(graph_.requests("/import?"), IsEmpty());
            co_return Result<void>{};
        };
        auto const position = co_await target.position(at("inbox-id"));
        EXPECT_TRUE(position && position->next == 0 && position->generation == "MBX:1@2");
        auto const result = co_await target.store(at("inbox-id"), std::move(items), before);
        EXPECT_TRUE(result);
        if (!result) co_return;
        EXPECT_EQ(commits, 1);
        for (std::size_t i = 0; i < 9; ++i) {
            EXPECT_FALSE(result->items[i].refused);
            EXPECT_FALSE(result->items[i].name.empty());
        }
        EXPECT_EQ(result->items[9].refused->code, Errc::item_refused);
        EXPECT_THAT(graph_.folder("inbox-id").items, SizeIs(9));
        EXPECT_THAT(graph_.requests("createImportSession"), SizeIs(1));
    });
}

TEST_F(SessionTest, ACommitThatFailsStoresNothing) {
    run([&](transport::SourceSession&, transport::TargetSession& target) -> awaitable<void> {
        std::vector<transport::StoreItem> items;
        for (int i = 0; i < 6; ++i) items.push_back(item_of("content"));
        transport::BeforeCommit const before = []() -> awaitable<Result<void>> {
            co_return Error{Errc::stopped, "stop"};
        };
        auto const result = co_await target.store(at("inbox-id"), std::move(items), before);
        EXPECT_TRUE(!result && result.error().code == Errc::stopped);
        EXPECT_FALSE(target.alive());
        EXPECT_THAT(graph_.folder("inbox-id").items, IsEmpty());
    });
}

TEST_F(SessionTest, OnlyTheItemWhoseAnswerWasLostIsInDoubt) {
    int number = 0;
    graph_.intercept = [&](Exchange const& exchange) -> std::optional<Reply> {
        bool const third = exchange.target.starts_with("/import?") && ++number == 3;
        return third ? std::optional(Reply{.drop = true, .after_effect = true}) : std::nullopt;
    };
    run([&](transport::SourceSession&, transport::TargetSession& target) -> awaitable<void> {
        std::vector<transport::StoreItem> items;
        for (int i = 0; i < 6; ++i) items.push_back(item_of("content " + std::to_string(i)));
        auto const result = co_await target.store(at("inbox-id"), std::move(items), commit());
        EXPECT_TRUE(result);
        if (!result) co_return;
        int doubtful = 0;
        for (auto const& item : result->items)
            if (item.refused && item.refused->code == Errc::doubtful) ++doubtful;
        EXPECT_EQ(doubtful, 1);
        EXPECT_THAT(graph_.folder("inbox-id").items, SizeIs(6));
        std::set<std::string> identities;
        auto const listed = co_await target.list(
            at("inbox-id"), transport::ListRequest{},
            [&](transport::FoundItem const& found) { identities.insert(found.meta.identity); });
        EXPECT_TRUE(listed);
        EXPECT_THAT(identities, SizeIs(6));
    });
}

TEST_F(SessionTest, AThrottledUploadWaitsAndAnOldAddressIsRenewed) {
    int number = 0;
    graph_.intercept = [&](Exchange const& exchange) -> std::optional<Reply> {
        if (!exchange.target.starts_with("/import?")) return std::nullopt;
        switch (++number) {
        case 1: return Reply{429, "{}", {{"Retry-After", "0.2"}}};
        case 2: return Reply{401, "{}"};
        default: return std::nullopt;
        }
    };
    run([&](transport::SourceSession&, transport::TargetSession& target) -> awaitable<void> {
        std::vector<transport::StoreItem> items;
        items.push_back(item_of("content"));
        auto const begun = std::chrono::steady_clock::now();
        auto const result = co_await target.store(at("inbox-id"), std::move(items), commit());
        EXPECT_TRUE(result && !result->items[0].refused);
        EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(200));
        EXPECT_THAT(graph_.requests("createImportSession"), SizeIs(2));
        EXPECT_THAT(graph_.folder("inbox-id").items, SizeIs(1));
    });
}

TEST_F(SessionTest, AFolderThatIsGoneRefusesTheGroup) {
    run([&](transport::SourceSession&, transport::TargetSession& target) -> awaitable<void> {
        std::vector<transport::StoreItem> items;
        for (int i = 0; i < 6; ++i) items.push_back(item_of("content"));
        auto const result = co_await target.store(at("no-such"), std::move(items), commit());
        EXPECT_TRUE(!result && result.error().code == Errc::folder_refused);
    });
}

TEST_F(SessionTest, ANewerStateGoesOverTheOldOne) {
    graph_.fill("inbox-id", 2);
    int number = 0;
    graph_.intercept = [&](Exchange const& exchange) -> std::optional<Reply> {
        // Somebody changes the item between our look and our update.
        if (exchange.target.starts_with("/import?") && ++number == 1)
            graph_.folder("inbox-id").items[1].key += "*";
        return std::nullopt;
    };
    run([&](transport::SourceSession&, transport::TargetSession& target) -> awaitable<void> {
        std::vector<transport::StoreItem> items;
        items.push_back(item_of("newer", "inbox-id-1"));
        auto const result = co_await target.store(at("inbox-id"), std::move(items), commit());
        EXPECT_TRUE(result && !result->items[0].refused);
        EXPECT_EQ(result->items[0].name, "inbox-id-1");
        EXPECT_EQ(graph_.folder("inbox-id").items[1].data, "newer");
        EXPECT_THAT(graph_.folder("inbox-id").items, SizeIs(2));
        // A copy that is gone is made anew.
        std::vector<transport::StoreItem> again;
        again.push_back(item_of("newest", "inbox-id-77"));
        EXPECT_TRUE(co_await target.store(at("inbox-id"), std::move(again), commit()));
        EXPECT_THAT(graph_.folder("inbox-id").items, SizeIs(3));
    });
}

TEST_F(SessionTest, MakesFoldersOnceAndBesideNamesakesOfAnotherClass) {
    run([&](transport::SourceSession&, transport::TargetSession& target) -> awaitable<void> {
        transport::Folder wanted;
        wanted.path = {"Projects", "2019"};
        auto const made = co_await target.create_folder(wanted);
        EXPECT_TRUE(made);
        if (!made) co_return;
        auto const again = co_await target.create_folder(wanted);
        EXPECT_TRUE(again && again->id == made->id);
        wanted.kind = transport::ItemKind::calendar;
        auto const calendar = co_await target.create_folder(wanted);
        EXPECT_TRUE(calendar);
        if (!calendar) co_return;
        EXPECT_THAT(calendar->path, ElementsAre("Projects", "2019 (2)"));
        EXPECT_EQ(graph_.folder(calendar->id).type, "IPF.Appointment");
        wanted.role = transport::FolderRole::calendar;
        auto const own = co_await target.create_folder(wanted);
        EXPECT_TRUE(own && own->id == "cal-id");
        // Made by somebody else since we looked.
        graph_.folders.push_back({"theirs", "New", "IPF.Note", "root", "", {}});
        transport::Folder other;
        other.path = {"New"};
        auto const theirs = co_await target.create_folder(other);
        EXPECT_TRUE(theirs && theirs->id == "theirs");
    });
}

TEST_F(SessionTest, ReadsBackByteForByte) {
    graph_.fill("inbox-id", 1);
    run([&](transport::SourceSession&, transport::TargetSession& target) -> awaitable<void> {
        KeepingReceiver receiver;
        EXPECT_TRUE(
            co_await target.read_back(at("inbox-id"), ref_to("inbox-id-0", 1, 20), receiver));
        EXPECT_EQ(receiver.items["inbox-id-0"].bytes, "data of inbox-id-0");
        auto const gone = co_await target.read_back(at("inbox-id"), ref_to("x", 1, 20), receiver);
        EXPECT_TRUE(gone);
        EXPECT_EQ(receiver.items.size(), 1u);
        EXPECT_TRUE(receiver.failures.empty());
        std::vector<transport::ItemNumber> const numbers;
        transport::Flags const no_flags;
        auto const flags =
            co_await target.change_flags(at("inbox-id"), numbers, no_flags, no_flags);
        EXPECT_TRUE(!flags && flags.error().code == Errc::unsupported);
    });
}

TEST_F(SessionTest, CutEndsWhatWaits) {
    once("/folders", {429, "{}", {{"Retry-After", "60"}}});
    run([&](transport::SourceSession& source, transport::TargetSession&) -> awaitable<void> {
        asio::steady_timer timer(io_, milliseconds(100));
        timer.async_wait([&](auto) {
            EXPECT_NE(connector().waits_for().find("a@x.example"), std::string::npos);
            source.cut();
        });
        auto const folders = co_await source.folders();
        EXPECT_TRUE(!folders && folders.error().code == Errc::connection_lost);
        EXPECT_FALSE(source.alive());
        EXPECT_FALSE(co_await source.ping());
    });
}

}  // namespace
}  // namespace mailferry::graph
