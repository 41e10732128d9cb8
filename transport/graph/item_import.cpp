#include "transport/graph/item_import.hpp"

#include "async/task_group.hpp"
#include "transport/graph/paths.hpp"
#include "transport/http/item_body.hpp"

#include <algorithm>
#include <exception>

namespace mailferry::graph {
namespace {

using transport::StoredItem;
using transport::StoreItem;
using transport::StoreResult;

constexpr std::size_t items_at_once = 4;
constexpr std::uint32_t url_refusals_max = 2;
constexpr std::chrono::milliseconds total_first{60'000};
constexpr std::uint64_t slowest_bytes_per_ms = 64;
constexpr std::string_view not_sent = "not sent: the group was given up";

/// Asked by every item of the group, answered once.
class CommitGate {
public:
    CommitGate(asio::any_io_executor executor, transport::BeforeCommit before_commit)
        : one_at_a_time_(std::move(executor)), before_commit_(std::move(before_commit)) {}

    awaitable<Result<void>> pass() {
        auto const alone = co_await one_at_a_time_.lock();
        if (!answer_) answer_ = co_await before_commit_();
        co_return *answer_;
    }
    std::optional<Error> failure() const {
        return answer_ && !*answer_ ? std::optional(answer_->error()) : std::nullopt;
    }

private:
    AsyncMutex one_at_a_time_;
    transport::BeforeCommit const before_commit_;
    std::optional<Result<void>> answer_;
};

class Importer {
public:
    Importer(Api& api, ImportSessions& sessions, std::string mailbox_id, std::string folder_id,
             std::vector<StoreItem> items, transport::BeforeCommit before_commit)
        : api_(api),
          sessions_(sessions),
          mailbox_id_(std::move(mailbox_id)),
          folder_id_(std::move(folder_id)),
          items_(std::move(items)),
          gate_(api.app().executor, std::move(before_commit)),
          workers_(api.app().executor) {
        result_.generation = mailbox_id_;
        result_.items.resize(items_.size());
    }

    awaitable<Result<StoreResult>> run();

private:
    /// What the answer to one upload means.
    enum class Next { done, again, again_later };
    /// One item's way through its attempts.
    struct Trial {
        StoreItem const& item;
        StoredItem& stored;
        std::string change_key = {};  ///< Of the copy that is replaced; "": it is a new item.
        std::uint32_t url_refusals = 0;
        /// Goes over whatever state is there: may be sent twice.
        bool updates() const { return !change_key.empty(); }
    };

    awaitable<void> work();
    awaitable<void> store(Trial trial);
    awaitable<Next> upload(Trial& trial);
    awaitable<Result<std::string>> change_key_of(std::string item_id);
    Next after_lost(Trial& trial, Error error, http::Progress const& progress);
    Next after_refusal(Trial& trial, Refusal const& refusal,
                       std::shared_ptr<ImportSession const> const& session);
    std::unique_ptr<http::ItemBody> body_of(Trial const& trial);
    Result<StoreResult> conclude();
    struct Way {
        std::shared_ptr<ImportSession const> session;
        Gate::Pass pass;
    };
    awaitable<Result<Way>> way_for(std::uint64_t upload_bytes);

    Api& api_;
    ImportSessions& sessions_;
    std::string const mailbox_id_, folder_id_;
    std::vector<StoreItem> items_;
    CommitGate gate_;
    TaskGroup workers_;
    StoreResult result_;
    std::size_t next_ = 0;
    bool hopeless_ = false;  ///< The next item would fare no better.
};

/// What concerns folder, mailbox or connection, so that the other items needn't be tried.
bool concerns_all(Errc code) {
    return disposition_of(code) != Disposition::skip_item && code != Errc::doubtful;
}

awaitable<Result<StoreResult>> Importer::run() {
    for (std::size_t i = 0; i < std::min(items_at_once, items_.size()); ++i) workers_.spawn(work());
    std::exception_ptr cancelled;
    try {
        co_await workers_.join();
    } catch (...) {
        cancelled = std::current_exception();
    }
    if (cancelled) {
        // The uploads use what belongs to our caller: they have to end first.
        api_.cut();
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        co_await workers_.join();
        std::rethrow_exception(cancelled);
    }
    co_return conclude();
}

awaitable<void> Importer::work() {
    while (next_ < items_.size()) {
        auto const index = next_++;
        auto& stored = result_.items[index];
        if (hopeless_ || !api_.alive()) {
            stored.refused = Error{Errc::connection_lost, std::string(not_sent)};
            continue;
        }
        Trial trial{items_[index], stored};
        co_await store(std::move(trial));
        if (stored.refused && concerns_all(stored.refused->code)) hopeless_ = true;
    }
}

awaitable<void> Importer::store(Trial trial) {
    auto const attempts_max = api_.gate().limits().attempts_max;
    for (std::uint32_t attempt = 1;; ++attempt) {
        if (!trial.item.replaces.empty()) {
            auto key = co_await change_key_of(trial.item.replaces);
            if (!key) {
                trial.stored.refused = key.error();
                co_return;
            }
            trial.change_key = std::move(*key);
        }
        trial.stored.refused.reset();
        auto const next = co_await upload(trial);
        if (next == Next::done || attempt >= attempts_max || !api_.alive()) co_return;
        if (next == Next::again_later && !co_await api_.pause_before(attempt)) co_return;
    }
}

/// The present key of a copy; "" if it is no longer there.
awaitable<Result<std::string>> Importer::change_key_of(std::string item_id) {
    ItemPage single(PageHandler::Shape::single);
    Call call;
    call.url = paths::item(mailbox_id_, folder_id_, item_id) + "?$select=id,changeKey";
    auto const answer = co_await api_.call(std::move(call), single);
    if (!answer) co_return answer.error();
    if (answer->good())
        co_return single.items.empty() ? std::string() : std::move(single.items[0].change_key);
    if (answer->status == 404) co_return std::string();
    co_return error_of(answer->refusal, Subject::target_item, "reading an item's change key");
}

std::unique_ptr<http::ItemBody> Importer::body_of(Trial const& trial) {
    auto const& item = trial.item;
    bool const update = trial.updates();
    auto prefix = "{\"FolderId\":" + http::json_quoted(folder_id_) + ",\"Mode\":\"" +
                  (update ? "update" : "create") + "\",\"Data\":\"";
    std::string suffix = "\"";
    if (update)
        suffix.append(",\"ItemId\":")
            .append(http::json_quoted(item.replaces))
            .append(",\"ChangeKey\":")
            .append(http::json_quoted(trial.change_key));
    suffix += '}';
    auto gate = [this] { return gate_.pass(); };
    item.reader->rewind();
    return std::make_unique<http::ItemBody>(std::move(prefix), item.reader, std::move(suffix),
                                            std::move(gate));
}

/// A session and a place to use it at once: after a long wait for the place it may be too old.
awaitable<Result<Importer::Way>> Importer::way_for(std::uint64_t upload_bytes) {
    for (;;) {
        Way way;
        auto session = co_await sessions_.get(mailbox_id_);
        if (!session) co_return session.error();
        auto pass = co_await api_.enter(upload_bytes);
        if (!pass) co_return pass.error();
        way.session = std::move(*session);
        way.pass = std::move(*pass);
        if (api_.gate().now() < way.session->renew_at) co_return way;
    }
}

awaitable<Importer::Next> Importer::upload(Trial& trial) {
    auto const body = body_of(trial);
    auto way = co_await way_for(body->size());
    if (!way) {
        trial.stored.refused = way.error();
        co_return Next::done;
    }
    http::Request request;
    request.method = "POST";
    request.url = way->session->url;
    // No bearer: the address is the right, and another one makes the service refuse.
    request.headers.push_back({"Accept", "application/json"});
    request.headers.push_back({"Content-Type", "application/json"});
    request.headers.push_back({"client-request-id", fresh_guid()});
    request.headers.push_back({"Prefer", std::string(prefer_ids)});
    request.body = body.get();
    request.repeatable = false;
    request.total_limit =
        total_first + std::chrono::milliseconds(body->size() / slowest_bytes_per_ms);
    TextMembers members({"itemId"});
    RefusalHandler refused;
    http::JsonSink sink(static_cast<http::JsonHandler&>(members), refused);
    http::Progress progress;
    auto const head = co_await api_.client().send(std::move(request), sink, &progress);
    if (!head) co_return after_lost(trial, head.error(), progress);
    Refusal refusal;
    if (!head->good()) {
        refusal.code = refused.code;
        refusal.inner_code = refused.inner_code;
        refusal.message = refused.message.empty() ? sink.excerpt() : refused.message;
    }
    api_.heed(way->pass, *head, refusal, "importItem");
    if (!head->good()) co_return after_refusal(trial, refusal, way->session);
    if (members[0].empty()) {
        Error const odd{Errc::protocol_error, "importItem: an answer without the item's id"};
        co_return after_lost(trial, odd, progress);
    }
    trial.stored.name = std::move(members[0]);
    co_return Next::done;
}

/// No answer, or none that can be read.
Importer::Next Importer::after_lost(Trial& trial, Error error, http::Progress const& progress) {
    auto& refused = trial.stored.refused;
    if (gate_.failure()) {
        refused = gate_.failure();
        return Next::done;
    }
    bool const may_be_there = progress.request_sent || progress.response_begun;
    bool const broken_way = disposition_of(error.code) == Disposition::retry_now;
    if (may_be_there && !trial.updates()) {
        refused = Error{Errc::doubtful, "importItem: " + error.context};
        return Next::done;
    }
    refused = error.in("importItem");
    return broken_way ? Next::again_later : Next::done;
}

Importer::Next Importer::after_refusal(Trial& trial, Refusal const& refusal,
                                       std::shared_ptr<ImportSession const> const& session) {
    auto const status = refusal.status;
    auto& refused = trial.stored.refused;
    refused = error_of(refusal, Subject::target_item, "importItem");
    if (status == 429 || status == 503) return Next::again;  // The limiters hold it back.
    if (is_transient(refusal)) {
        if (trial.updates()) return Next::again_later;
        // A gateway that gave up says nothing about what is behind it.
        refused->code = Errc::doubtful;
        return Next::done;
    }
    bool const gone = status == 404 && refusal.says("ErrorItemNotFound");
    if (trial.updates() && (status == 409 || status == 412 || gone) &&
        refused->code != Errc::unavailable) {
        // Somebody was there between our look and our update: look again.
        refused->code = Errc::unavailable;
        return Next::again;
    }
    bool const named = refused->code == Errc::over_quota || refused->code == Errc::folder_refused ||
                       refused->code == Errc::item_too_large;
    bool const of_the_url =
        !named && (status == 401 || status == 403 || status == 404 || status == 410);
    if (!of_the_url) return Next::done;
    sessions_.reject(session);
    if (++trial.url_refusals <= url_refusals_max) return Next::again;
    // The address was fresh: no fault of the app's sign-in.
    if (status != 403) refused->code = Errc::unavailable;
    return Next::done;
}

/// Where nothing is there and no item is to blame, the group failed as a whole.
Result<StoreResult> Importer::conclude() {
    if (auto const failure = gate_.failure()) {
        api_.cut();
        return *failure;
    }
    std::optional<Error> first;
    bool any_outcome = false;
    for (auto const& item : result_.items) {
        if (!item.refused || !concerns_all(item.refused->code))
            any_outcome = true;
        else if (!first || first->context == not_sent)
            first = item.refused;
    }
    if (first && !any_outcome) return *first;
    for (auto& item : result_.items) {
        if (!item.refused || !concerns_all(item.refused->code)) continue;
        auto const disposition = disposition_of(item.refused->code);
        // Ours or the folder's: said again, and alone, when these items are sent again.
        if (disposition == Disposition::stop_program || disposition == Disposition::skip_folder)
            item.refused->code = Errc::connection_lost;
    }
    return std::move(result_);
}

}  // namespace

awaitable<Result<StoreResult>> import_items(Api& api, ImportSessions& sessions,
                                            std::string mailbox_id, std::string folder_id,
                                            std::vector<StoreItem> items,
                                            transport::BeforeCommit before_commit) {
    Importer importer(api, sessions, std::move(mailbox_id), std::move(folder_id), std::move(items),
                      std::move(before_commit));
    co_return co_await importer.run();
}

}  // namespace mailferry::graph
