#pragma once

/// Sessions over scripts, and the little things that the interface asks its caller for.

#include "tests/support/fakes/imap_script.hpp"
#include "transport/imap/connector.hpp"
#include "transport/imap/source_session.hpp"
#include "transport/imap/target_session.hpp"

#include <gtest/gtest.h>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <string>
#include <vector>

namespace mailferry::imap {

using test::Exchange;
using test::ImapScript;
using transport::Folder;
using transport::ItemMeta;
using transport::ItemNumber;

inline std::string const greeting =
    "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR LITERAL+ UIDPLUS MULTIAPPEND CONDSTORE ESEARCH] "
    "ready\r\n";

/// The steps of a sign-in in front of the test's own.
inline std::vector<Exchange> signed_in(std::vector<Exchange> steps,
                                       std::string const& capabilities =
                                           "IMAP4rev1 LITERAL+ UIDPLUS MULTIAPPEND CONDSTORE "
                                           "ESEARCH") {
    std::vector<Exchange> all;
    all.push_back({"", greeting});
    all.push_back({"AUTHENTICATE PLAIN", "$ OK [CAPABILITY " + capabilities + "] in\r\n"});
    all.insert(all.end(), steps.begin(), steps.end());
    return all;
}

class SessionTest : public testing::Test {
protected:
    /// Runs `body` to its end; a body that never ends fails the test.
    void run(std::function<awaitable<void>()> body) {
        bool done = false;
        std::exception_ptr thrown;
        asio::co_spawn(context, body(), [&](std::exception_ptr exception) {
            done = true;
            thrown = exception;
            context.stop();
        });
        context.restart();
        context.run_for(std::chrono::seconds(20));
        // The reading loops see that their sessions are gone.
        context.restart();
        context.poll();
        if (thrown) std::rethrow_exception(thrown);
        ASSERT_TRUE(done) << "the session never came back";
    }

    ImapScript& script(std::vector<Exchange> steps) {
        scripts.push_back(std::make_unique<ImapScript>(context.get_executor(), std::move(steps)));
        return *scripts.back();
    }

    /// Dials the scripts one after the other.
    Connector connector() {
        return Connector(context.get_executor(), tenant, admin, Secret("secret"),
                         [this]() -> awaitable<Result<std::unique_ptr<transport::Stream>>> {
                             if (dialled == scripts.size())
                                 co_return Error{Errc::unreachable, "no script left"};
                             co_return scripts[dialled++]->stream();
                         });
    }

    awaitable<Result<std::unique_ptr<transport::SourceSession>>> open_source() {
        auto maker = connector();
        auto session = co_await maker.connect_source();
        if (!session) co_return session.error();
        transport::OpenMailbox request;
        request.mailbox = "m@example.org";
        auto const opened = co_await (*session)->open(request);
        if (!opened) co_return opened.error();
        co_return std::move(*session);
    }
    awaitable<Result<std::unique_ptr<transport::TargetSession>>> open_target() {
        auto maker = connector();
        auto session = co_await maker.connect_target();
        if (!session) co_return session.error();
        transport::OpenMailbox request;
        request.mailbox = "m@example.org";
        auto const opened = co_await (*session)->open(request);
        if (!opened) co_return opened.error();
        co_return std::move(*session);
    }

    SessionTest() {
        tenant.tls = config::Tls::none;
        admin.user = "boss";
        admin.auth = config::Auth::plain;
    }

    asio::io_context context{1};
    config::Tenant tenant;
    config::Admin admin;
    std::vector<std::unique_ptr<ImapScript>> scripts;
    std::size_t dialled = 0;
};

inline Folder folder_named(std::string id) {
    Folder folder;
    folder.id = id;
    folder.path = {std::move(id)};
    return folder;
}

class StringReader final : public transport::ItemReader {
public:
    explicit StringReader(std::string bytes) : bytes_(std::move(bytes)) {}
    std::uint64_t size() const override { return bytes_.size(); }
    awaitable<Result<std::span<std::byte const>>> next() override {
        auto const count = std::min<std::size_t>(7, bytes_.size() - place_);
        auto const piece = transport::bytes_of(bytes_).subspan(place_, count);
        place_ += count;
        co_return piece;
    }
    void rewind() override { place_ = 0; }

private:
    std::string bytes_;
    std::size_t place_ = 0;
};

inline transport::StoreItem item_of(std::string bytes, transport::Flags flags = {}) {
    transport::StoreItem item;
    item.received.unix_seconds = 1'577'880'000;
    item.flags = std::move(flags);
    item.reader = std::make_shared<StringReader>(std::move(bytes));
    return item;
}

/// Writes down what it gets: "begin(3) abc end(7)".
class TextReceiver final : public transport::ItemReceiver {
public:
    awaitable<Result<void>> begin(std::uint64_t size) override {
        text += "begin(" + std::to_string(size) + ") ";
        co_return Result<void>{};
    }
    awaitable<Result<void>> piece(std::span<std::byte const> bytes) override {
        text.append(reinterpret_cast<char const*>(bytes.data()), bytes.size());
        if (on_piece) co_return co_await on_piece();
        co_return Result<void>{};
    }
    awaitable<Result<void>> end(ItemMeta meta) override {
        text += " end(" + std::to_string(meta.number) + ") ";
        metas.push_back(std::move(meta));
        co_return Result<void>{};
    }
    void failed(ItemNumber number, Error error) override {
        text +=
            "failed(" + std::to_string(number) + " " + std::string(to_string(error.code)) + ") ";
    }

    std::string text;
    std::vector<ItemMeta> metas;
    std::function<awaitable<Result<void>>()> on_piece;
};

}  // namespace mailferry::imap
