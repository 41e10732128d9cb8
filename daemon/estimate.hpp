#pragma once

/// A dry run: what every pass will have to move, and what will stand in its way. Reads folders and
/// the metadata of items, no bodies; writes nothing anywhere.

#include "daemon/engine.hpp"
#include "daemon/report.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mailferry::daemon {

struct Amount {
    std::uint64_t items = 0, bytes = 0;
    void add(std::uint64_t item_bytes) {
        ++items;
        bytes += item_bytes;
    }
    Amount& operator+=(Amount const& other) {
        items += other.items;
        bytes += other.bytes;
        return *this;
    }
};

/// What is new in a pass: items that no earlier pass covers.
struct PassEstimate {
    std::string name;
    std::uint64_t mailboxes = 0;
    Amount amount;
    std::uint64_t largest_mailbox_bytes = 0;
};

struct MailboxEstimate {
    std::string source, target;
    Amount amount;  ///< Over all passes.
};

/// Why a mailbox, or a part of it, can't be copied.
struct EstimateProblem {
    std::string mailbox, reason;
};

struct MigrationEstimate {
    std::string name;
    std::string source, target;  ///< "tenant fabrikam (imap, imap.fabrikam.example)".
    std::uint64_t mailboxes = 0;
    std::uint64_t mailboxes_seen = 0;  ///< Both sides could be opened.
    Amount at_source;                  ///< Of the folders and kinds that the passes name.
    std::uint64_t items_at_target = 0;
    std::vector<PassEstimate> passes;
    std::vector<MailboxEstimate> largest;  ///< At most ten, largest first.
    std::vector<NotCopied> not_copied;
    std::vector<EstimateProblem> problems;
    std::uint64_t problems_more = 0;  ///< Beyond those that are kept.
    Amount too_large;                 ///< Larger than the target says it takes.
    std::uint64_t item_bytes_max = 0;
    /// Mail by its age in days; nothing else has a window.
    std::map<std::uint32_t, Amount> mail_by_age;
    Amount without_window;
    /// What the target takes for one mailbox from all admins, by its published limits; 0: unknown.
    std::uint64_t mailbox_bytes_per_second_max = 0;
};

struct Estimate {
    std::vector<MigrationEstimate> migrations;
    std::uint64_t bytes_per_second = 0;  ///< 0: no rate is known.
    bool rate_measured = false;          ///< In earlier runs; else as asked for.
    std::optional<std::uint32_t> hours;  ///< The night that a window is sought for.
    bool beside_another = false;         ///< Another process works on the same state.
    bool stopped = false;
    std::int64_t made = 0;  ///< Unix seconds.

    /// 0, 1 if something can't be copied, 4 if it was stopped.
    int exit_status() const;
};

/// Looks at all mailboxes, as many at once as the admins' sessions allow.
class Estimator {
public:
    /// `now`: Unix seconds, the moment that ages count from. `seen` is called after each mailbox
    /// with how many are done, and of how many.
    Estimator(asio::any_io_executor executor, std::shared_ptr<Plan const> plan, std::int64_t now,
              std::function<void(std::uint64_t, std::uint64_t)> seen);
    ~Estimator();

    /// Must be awaited to its end. After stop() the figures cover a part.
    awaitable<Result<std::vector<MigrationEstimate>>> run();
    /// Cuts what is under way.
    void stop();
    bool stopped() const { return stopped_; }

private:
    class Look;

    asio::any_io_executor executor_;
    std::shared_ptr<Plan const> plan_;
    std::int64_t now_;
    std::function<void(std::uint64_t, std::uint64_t)> seen_;
    std::unique_ptr<Look> look_;
    bool stopped_ = false;
};

/// Bytes a second over the time in which any mailbox was worked on; 0: less than a second, which
/// says nothing.
std::uint64_t measured_rate(std::vector<store::PassRecord> const& records);

/// The youngest mail that `bytes` hold, as an age in days, after everything without a window;
/// nothing if not even a day's mail fits.
std::optional<std::uint32_t> days_that_fit(MigrationEstimate const& migration, std::uint64_t bytes);

std::string estimate_text(Estimate const& estimate);
std::string estimate_json(Estimate const& estimate);

}  // namespace mailferry::daemon
