#include "transport/imap/sequence_set.hpp"

#include "config/base/assert.hpp"

#include <algorithm>
#include <charconv>

namespace mailferry::imap {
namespace {

std::optional<std::uint32_t> parse_uid(std::string_view text) {
    std::uint32_t uid = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), uid);
    if (error != std::errc() || end != text.data() + text.size() || uid == 0) return std::nullopt;
    return uid;
}

std::optional<UidRun> parse_run(std::string_view text) {
    auto const colon = text.find(':');
    auto const first = parse_uid(text.substr(0, colon));
    auto const last = colon == text.npos ? first : parse_uid(text.substr(colon + 1));
    if (!first || !last) return std::nullopt;
    return UidRun{std::min(*first, *last), std::max(*first, *last)};
}

bool touches(UidRun const& run, std::uint32_t next_first) {
    return std::uint64_t{run.last} + 1 >= next_first;
}

std::string format_run(UidRun const& run) {
    auto text = std::to_string(run.first);
    if (run.last != run.first) text.append(":").append(std::to_string(run.last));
    return text;
}

}  // namespace

std::optional<std::vector<UidRun>> parse_uid_runs(std::string_view text, std::size_t runs_max) {
    std::vector<UidRun> runs;
    for (;;) {
        auto const comma = text.find(',');
        auto const run = parse_run(text.substr(0, comma));
        if (!run || runs.size() == runs_max) return std::nullopt;
        runs.push_back(*run);
        if (comma == text.npos) return runs;
        text.remove_prefix(comma + 1);
    }
}

UidSet::UidSet(std::vector<UidRun> runs) : runs_(std::move(runs)) {
    for (auto const& run : runs_) MAILFERRY_ASSERT(run.first >= 1 && run.first <= run.last);
    std::sort(runs_.begin(), runs_.end(),
              [](UidRun const& a, UidRun const& b) { return a.first < b.first; });
    std::size_t kept = 0;
    for (auto const& run : runs_) {
        if (kept > 0 && touches(runs_[kept - 1], run.first))
            runs_[kept - 1].last = std::max(runs_[kept - 1].last, run.last);
        else
            runs_[kept++] = run;
    }
    runs_.resize(kept);
}

std::optional<UidSet> UidSet::parse(std::string_view text, std::size_t runs_max) {
    auto runs = parse_uid_runs(text, runs_max);
    if (!runs) return std::nullopt;
    return UidSet(std::move(*runs));
}

void UidSet::insert(std::uint32_t first, std::uint32_t last) {
    MAILFERRY_ASSERT(first >= 1 && first <= last);
    if (runs_.empty() || !touches(runs_.back(), first)) {
        runs_.push_back({first, last});
        return;
    }
    // The runs that the new one overlaps or touches become one with it.
    auto const begin = std::partition_point(
        runs_.begin(), runs_.end(), [&](UidRun const& run) { return !touches(run, first); });
    auto const end = std::partition_point(begin, runs_.end(), [&](UidRun const& run) {
        return run.first <= std::uint64_t{last} + 1;
    });
    if (begin == end) {
        runs_.insert(begin, {first, last});
        return;
    }
    begin->first = std::min(begin->first, first);
    begin->last = std::max(std::prev(end)->last, last);
    runs_.erase(std::next(begin), end);
}

void UidSet::erase(std::uint32_t first, std::uint32_t last) {
    MAILFERRY_ASSERT(first >= 1 && first <= last);
    auto const begin = std::partition_point(runs_.begin(), runs_.end(),
                                            [&](UidRun const& run) { return run.last < first; });
    auto const end = std::partition_point(begin, runs_.end(),
                                          [&](UidRun const& run) { return run.first <= last; });
    if (begin == end) return;
    std::vector<UidRun> remains;
    if (begin->first < first) remains.push_back({begin->first, first - 1});
    if (std::prev(end)->last > last) remains.push_back({last + 1, std::prev(end)->last});
    auto const at = runs_.erase(begin, end);
    runs_.insert(at, remains.begin(), remains.end());
}

bool UidSet::contains(std::uint32_t uid) const {
    auto const run = std::partition_point(runs_.begin(), runs_.end(),
                                          [&](UidRun const& each) { return each.last < uid; });
    return run != runs_.end() && run->first <= uid;
}

std::uint64_t UidSet::count() const {
    std::uint64_t total = 0;
    for (auto const& run : runs_) total += run.count();
    return total;
}

std::optional<std::uint32_t> UidSet::first() const {
    if (runs_.empty()) return std::nullopt;
    return runs_.front().first;
}

std::optional<std::uint32_t> UidSet::last() const {
    if (runs_.empty()) return std::nullopt;
    return runs_.back().last;
}

UidSet UidSet::united(UidSet const& other) const {
    auto runs = runs_;
    runs.insert(runs.end(), other.runs_.begin(), other.runs_.end());
    return UidSet(std::move(runs));
}

UidSet UidSet::intersected(UidSet const& other) const {
    UidSet result;
    auto a = runs_.begin();
    auto b = other.runs_.begin();
    while (a != runs_.end() && b != other.runs_.end()) {
        auto const first = std::max(a->first, b->first);
        auto const last = std::min(a->last, b->last);
        if (first <= last) result.runs_.push_back({first, last});
        if (a->last < b->last)
            ++a;
        else
            ++b;
    }
    return result;
}

UidSet UidSet::without(UidSet const& other) const {
    UidSet result;
    auto hole = other.runs_.begin();
    for (auto run : runs_) {
        while (hole != other.runs_.end() && hole->last < run.first) ++hole;
        bool is_used_up = false;
        for (auto cut = hole; cut != other.runs_.end() && cut->first <= run.last; ++cut) {
            if (cut->first > run.first) result.runs_.push_back({run.first, cut->first - 1});
            is_used_up = cut->last >= run.last;
            if (is_used_up) break;
            run.first = cut->last + 1;
            hole = cut;
        }
        if (!is_used_up) result.runs_.push_back(run);
    }
    return result;
}

std::string UidSet::to_string() const {
    std::string text;
    for (auto const& run : runs_) {
        if (!text.empty()) text += ',';
        text += format_run(run);
    }
    return text;
}

std::vector<UidSet> UidSet::split(std::size_t text_bytes_max) const {
    MAILFERRY_ASSERT(text_bytes_max >= 21);
    std::vector<UidSet> parts;
    std::size_t text_bytes = 0;
    for (auto const& run : runs_) {
        auto const run_bytes = format_run(run).size();
        if (parts.empty() || text_bytes + 1 + run_bytes > text_bytes_max) {
            parts.emplace_back();
            text_bytes = run_bytes;
        } else {
            text_bytes += 1 + run_bytes;
        }
        parts.back().runs_.push_back(run);
    }
    return parts;
}

}  // namespace mailferry::imap
