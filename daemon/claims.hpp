#pragma once

/// What a target folder holds that nobody has accounted for yet, to be claimed by items whose fate
/// is in doubt (reliability.md 2.3, step 6): each copy is claimed once, on proof of its content.

#include "daemon/content_reader.hpp"
#include "daemon/plan.hpp"

#include <optional>
#include <set>
#include <vector>

namespace mailferry::daemon {

class Claims {
public:
    /// Lists what is sought of the folder, without what the ledger knows as stored. The ledger's
    /// target numbers are of `generation`; if the folder has another one, each stored item is left
    /// its copy by content. `ledger` outlives the claims.
    static awaitable<Result<Claims>> look(store::Ledger& ledger, transport::TargetSession& session,
                                          FolderPlan const& plan, transport::ListRequest request,
                                          std::string generation);

    /// The first unclaimed copy with the item's content; nothing if there is none. Reads copies
    /// back until it is found, those with the item's date first; each is read once. An item that
    /// isn't among those of the dates sought (a server may have dated it anew) is looked for in the
    /// whole folder. `session` is the one of look().
    awaitable<Result<std::optional<transport::ItemMeta>>> claim(transport::TargetSession& session,
                                                                store::ItemRecord const& item);

    bool empty() const { return candidates_.empty(); }

    /// Gives the claimed copies the flags that they lack: a server that mended its index may know
    /// the bytes and the dates only.
    awaitable<Result<void>> restore_flags(transport::TargetSession& session);

private:
    struct Candidate {
        transport::ItemMeta meta;
        std::optional<store::Sha256Digest> digest;  ///< Of its content, once it was read.
        bool claimed = false;
    };
    Claims(store::Ledger& ledger, FolderPlan const& plan, transport::ListRequest request,
           std::string generation)
        : ledger_(&ledger),
          home_(plan.record.id),
          folder_{.id = plan.target_id, .path = plan.target_path},
          request_(std::move(request)),
          generation_(std::move(generation)) {}

    awaitable<Result<void>> list(transport::TargetSession& session);
    awaitable<Result<void>> drop_stored(std::vector<Candidate>& listed, bool same_generation);
    awaitable<Result<Candidate*>> find(transport::TargetSession& session,
                                       store::ItemRecord const& item);
    awaitable<Result<void>> identify(transport::TargetSession& session, Candidate& candidate);

    store::Ledger* ledger_;
    store::FolderId home_;
    transport::Folder folder_;
    transport::ListRequest request_;
    std::string generation_;
    std::vector<Candidate> candidates_;
    std::map<transport::Flags, std::vector<transport::ItemNumber>> lacking_;  ///< Copies, by flags.
    std::multiset<std::uint64_t> owed_;  ///< Fingerprints of stored items without a known copy.
};

/// The record of an item whose copy at the target has this number or this name.
store::StoredRecord stored_record(store::ItemRecord const& item, transport::ItemNumber number,
                                  std::string name);

}  // namespace mailferry::daemon
