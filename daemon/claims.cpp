#include "daemon/claims.hpp"

#include <algorithm>

namespace mailferry::daemon {
namespace {

/// The names of the folder's stored items at the target.
awaitable<Result<std::set<std::string>>> names_stored(
    store::Ledger& ledger, store::FolderId folder, std::vector<store::StoredRecord> const& stored) {
    std::vector<std::uint64_t> numbers;
    for (auto const& record : stored)
        if (record.target_number != 0) numbers.push_back(record.target_number);
    auto const names = co_await ledger.target_names(folder, std::move(numbers));
    if (!names) co_return names.error();
    co_return std::set<std::string>(names->begin(), names->end());
}

}  // namespace

awaitable<Result<Claims>> Claims::look(store::Ledger& ledger, transport::TargetSession& session,
                                       FolderPlan const& plan, transport::ListRequest request,
                                       std::string generation) {
    Claims claims(ledger, plan, std::move(request), std::move(generation));
    auto const listed = co_await claims.list(session);
    if (!listed) co_return listed.error();
    co_return claims;
}

/// Adds what the request finds to the candidates.
awaitable<Result<void>> Claims::list(transport::TargetSession& session) {
    std::set<std::string> known;
    for (auto const& candidate : candidates_) known.insert(candidate.meta.name);
    std::vector<Candidate> found;
    auto const listed = co_await session.list(folder_, request_, [&](transport::FoundItem item) {
        if (!item.meta.name.empty() && !known.insert(item.meta.name).second) return;
        found.emplace_back().meta = std::move(item.meta);
    });
    if (!listed) co_return listed.error();
    if (found.empty()) co_return Result<void>{};
    auto const dropped = co_await drop_stored(found, *listed == generation_);
    if (!dropped) co_return dropped.error();
    std::move(found.begin(), found.end(), std::back_inserter(candidates_));
    co_return Result<void>{};
}

awaitable<Result<void>> Claims::drop_stored(std::vector<Candidate>& listed, bool same_generation) {
    auto const stored = co_await ledger_->stored(home_, 0, UINT64_MAX);
    if (!stored) co_return stored.error();
    if (!listed.front().meta.name.empty()) {
        auto const names = co_await names_stored(*ledger_, home_, *stored);
        if (!names) co_return names.error();
        std::erase_if(listed, [&](auto const& held) { return names->contains(held.meta.name); });
        co_return Result<void>{};
    }
    std::set<transport::ItemNumber> numbers;
    for (auto const& record : *stored) {
        if (same_generation && record.target_number != 0)
            numbers.insert(record.target_number);
        else if (!same_generation)
            owed_.insert(record.fingerprint);
    }
    std::erase_if(listed, [&](auto const& held) { return numbers.contains(held.meta.number); });
    co_return Result<void>{};
}

awaitable<Result<std::optional<transport::ItemMeta>>> Claims::claim(
    transport::TargetSession& session, store::ItemRecord const& item) {
    auto found = co_await find(session, item);
    if (found && *found == nullptr && !request_.received.empty()) {
        request_.received.clear();
        auto const listed = co_await list(session);
        if (!listed) co_return listed.error();
        found = co_await find(session, item);
    }
    if (!found) co_return found.error();
    if (*found == nullptr) co_return std::optional<transport::ItemMeta>();
    auto& candidate = **found;
    candidate.claimed = true;
    auto lacking = flag_change(candidate.meta.flags, item.flags).add;
    if (!lacking.empty() && candidate.meta.name.empty())
        lacking_[std::move(lacking)].push_back(candidate.meta.number);
    co_return candidate.meta;
}

/// Null: not among the candidates.
awaitable<Result<Claims::Candidate*>> Claims::find(transport::TargetSession& session,
                                                   store::ItemRecord const& item) {
    for (bool const same_date : {true, false}) {
        for (auto& candidate : candidates_) {
            bool const dated_so = candidate.meta.received.unix_seconds == item.received;
            if (candidate.claimed || dated_so != same_date) continue;
            auto const identified = co_await identify(session, candidate);
            if (!identified) co_return identified.error();
            if (!candidate.claimed && candidate.digest == item.digest) co_return &candidate;
        }
    }
    co_return static_cast<Candidate*>(nullptr);
}

awaitable<Result<void>> Claims::restore_flags(transport::TargetSession& session) {
    for (auto& [flags, numbers] : std::exchange(lacking_, {})) {
        auto const changed = co_await session.change_flags(folder_, numbers, flags, {});
        if (!changed) co_return changed.error();
    }
    co_return Result<void>{};
}

awaitable<Result<void>> Claims::identify(transport::TargetSession& session, Candidate& candidate) {
    if (candidate.digest) co_return Result<void>{};
    if (!candidate.meta.identity.empty()) {
        candidate.digest = identity_digest(candidate.meta);
        co_return Result<void>{};
    }
    ContentReader reader;
    transport::ItemRef const copy{.number = candidate.meta.number, .size = candidate.meta.size};
    auto const read = co_await session.read_back(folder_, copy, reader);
    if (!read) co_return read.error();
    // One that can't be read proves nothing.
    candidate.digest = reader.seen.empty() ? store::Sha256Digest{}
                                           : reader.seen.begin()->second.identity.canonical;
    auto const owed = owed_.find(fingerprint_of(*candidate.digest));
    if (owed != owed_.end()) {
        owed_.erase(owed);
        candidate.claimed = true;
    }
    co_return Result<void>{};
}

store::StoredRecord stored_record(store::ItemRecord const& item, transport::ItemNumber number,
                                  std::string name) {
    return {.number = item.number,
            .target_number = number,
            .fingerprint = item.fingerprint,
            .received = item.received,
            .size = item.size,
            .flags = item.flags,
            .target_name = std::move(name)};
}

}  // namespace mailferry::daemon
