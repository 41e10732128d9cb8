#pragma once

/// Sets of UIDs as sorted runs. Servers send ranges like 1:4294967294: nothing here expands one.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::imap {

/// All UIDs from `first` to `last`, both included; 1 <= first <= last.
struct UidRun {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::uint64_t count() const { return std::uint64_t{last} - first + 1; }
    friend bool operator==(UidRun const&, UidRun const&) = default;
};

/// The runs of a sequence-set in the order they were written, `m:n` put as `n:m`. Nothing for `*`,
/// `$`, zero, numbers above 2^32-1, empty members and more than `runs_max` members.
std::optional<std::vector<UidRun>> parse_uid_runs(std::string_view text,
                                                  std::size_t runs_max = 1u << 20);

/// A set of UIDs. Memory follows the number of runs, never the number of UIDs.
class UidSet {
public:
    UidSet() = default;
    /// Runs in any order, overlapping or touching; each with 1 <= first <= last.
    explicit UidSet(std::vector<UidRun> runs);
    UidSet(std::uint32_t first, std::uint32_t last) : UidSet({UidRun{first, last}}) {}

    /// parse_uid_runs() as a set.
    static std::optional<UidSet> parse(std::string_view text, std::size_t runs_max = 1u << 20);

    /// Constant time at the end of the set, linear in the number of runs elsewhere.
    void insert(std::uint32_t first, std::uint32_t last);
    void insert(std::uint32_t uid) { insert(uid, uid); }
    void erase(std::uint32_t first, std::uint32_t last);
    void erase(std::uint32_t uid) { erase(uid, uid); }

    bool contains(std::uint32_t uid) const;
    bool empty() const { return runs_.empty(); }
    std::uint64_t count() const;
    std::optional<std::uint32_t> first() const;
    std::optional<std::uint32_t> last() const;
    /// Ascending, disjoint, not touching.
    std::span<UidRun const> runs() const { return runs_; }

    UidSet united(UidSet const& other) const;
    UidSet without(UidSet const& other) const;
    UidSet intersected(UidSet const& other) const;

    /// "1:3,7"; empty for the empty set (which no command may carry).
    std::string to_string() const;
    /// Consecutive parts whose to_string() fits in `text_bytes_max` octets (at least 21) each.
    std::vector<UidSet> split(std::size_t text_bytes_max = 8'000) const;

    friend bool operator==(UidSet const&, UidSet const&) = default;

private:
    std::vector<UidRun> runs_;
};

}  // namespace mailferry::imap
