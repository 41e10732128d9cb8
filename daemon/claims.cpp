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
                                       FolderPlan const& plan, transport::ItemNumber from,
                                       std::string generation) {
    transport::Folder const folder{.id = plan.target_id, .path = plan.target_path};
    Claims claims(folder);
    auto& candidates = claims.candidates_;
    auto const listed = co_await session.list(folder, from, [&](transport::FoundItem item) {
        candidates.emplace_back().meta = std::move(item.meta);
    });
    if (!listed) co_return listed.error();
    if (candidates.empty()) co_return claims;
    auto const stored = co_await ledger.stored(plan.record.id, 0, UINT64_MAX);
    if (!stored) co_return stored.error();
    if (!candidates.front().meta.name.empty()) {
        auto const names = co_await names_stored(ledger, plan.record.id, *stored);
        if (!names) co_return names.error();
        std::erase_if(candidates,
                      [&](auto const& held) { return names->contains(held.meta.name); });
        co_return claims;
    }
    bool const same_numbers = *listed == generation;
    std::set<transport::ItemNumber> numbers;
    for (auto const& record : *stored) {
        if (same_numbers && record.target_number != 0)
            numbers.insert(record.target_number);
        else if (!same_numbers)
            claims.owed_.insert(record.fingerprint);
    }
    std::erase_if(candidates, [&](auto const& held) { return numbers.contains(held.meta.number); });
    co_return claims;
}

awaitable<Result<std::optional<transport::ItemMeta>>> Claims::claim(
    transport::TargetSession& session, store::ItemRecord const& item) {
    for (bool const same_date : {true, false}) {
        for (auto& candidate : candidates_) {
            bool const dated_so = candidate.meta.received.unix_seconds == item.received;
            if (candidate.claimed || dated_so != same_date) continue;
            auto const identified = co_await identify(session, candidate);
            if (!identified) co_return identified.error();
            if (candidate.claimed || candidate.digest != item.digest) continue;
            candidate.claimed = true;
            auto lacking = flag_change(candidate.meta.flags, item.flags).add;
            if (!lacking.empty() && candidate.meta.name.empty())
                lacking_[std::move(lacking)].push_back(candidate.meta.number);
            co_return candidate.meta;
        }
    }
    co_return std::optional<transport::ItemMeta>();
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
