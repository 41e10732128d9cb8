#include "tests/support/ledger_values.hpp"

#include <csignal>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace mailferry::store {
namespace {

constexpr unsigned folders_at_once = 4;
constexpr std::uint64_t operations_max = 150;

enum class Place { spooled, sending, failed, stored };

struct ModelItem {
    ItemId id{};
    Place place = Place::spooled;
    bool located = false;
    std::string flag;  ///< Stored items only.
};

/// One line an item: what the ledger must tell of a folder.
using Picture = std::map<std::uint64_t, std::string>;

std::string line_of(Place place, bool located, std::string const& flag) {
    static constexpr std::string_view names[] = {"spooled", "sending", "failed", "stored"};
    return std::string(names[static_cast<std::size_t>(place)]) + (located ? " located " : " ") +
           flag;
}

/// A seeded list of operations on one folder, and what the folder holds after each. The child
/// applies it to the ledger; the parent replays it in its mind.
class Script {
public:
    using Step = std::function<awaitable<Result<void>>(Ledger&)>;

    Script(unsigned seed, unsigned index, FolderId folder)
        : random_(seed * 100 + index), index_(index), folder_(folder) {}

    /// The next operation; the model is already behind it.
    Step next() {
        switch (random_() % 8) {
        case 0:
        case 1: return spool();
        case 2: return fail();
        case 3: return lose();
        case 4: return change_flags();
        default: return intent_ == GroupId{} ? open() : close();
        }
    }

    Picture picture() const {
        Picture lines;
        for (auto const& [number, item] : items_)
            lines[number] = line_of(item.place, item.located, item.flag);
        return lines;
    }

private:
    ItemRecord make(std::uint64_t number, bool located) {
        auto const id = ItemId{(std::uint64_t{index_} << 32) + ++ids_};
        return located ? item_of(folder_, id, number) : hot_item_of(folder_, id, number);
    }

    /// Numbers come in no order, and come back after they were forgotten.
    std::uint64_t free_number() {
        for (;;) {
            auto const number = random_() % 4000 + 1;
            if (!items_.contains(number)) return number;
        }
    }

    std::vector<std::uint64_t> some(Place place, std::size_t count) {
        std::vector<std::uint64_t> found;
        for (auto const& [number, item] : items_)
            if (item.place == place && random_() % 2 == 0 && found.size() < count)
                found.push_back(number);
        return found;
    }

    Step spool() {
        std::vector<ItemRecord> items;
        for (auto left = random_() % 8 + 1; left > 0; --left) {
            items.push_back(make(free_number(), true));
            items_[items.back().number] = {items.back().id, Place::spooled, true, ""};
        }
        return [items](Ledger& ledger) { return ledger.record_spooled(items); };
    }

    Step fail() {
        std::vector<ItemRecord> items;
        for (auto const number : some(Place::spooled, 2)) {
            items.push_back(failed_item_of(folder_, items_[number].id, number));
            items_[number] = {items_[number].id, Place::failed, false, ""};
        }
        return [items](Ledger& ledger) { return ledger.record_failed(items); };
    }

    Step lose() {
        std::vector<ItemId> lost;
        for (auto const number : some(Place::spooled, 2)) {
            lost.push_back(items_[number].id);
            items_.erase(number);
        }
        for (auto const number : some(Place::sending, 1)) {
            lost.push_back(items_[number].id);
            items_[number].located = false;
        }
        return [lost](Ledger& ledger) { return ledger.forget_spooled(lost); };
    }

    Step change_flags() {
        std::vector<StoredRecord> changed;
        for (auto const number : some(Place::stored, 5)) {
            auto record = stored_of(number);
            items_[number].flag = "f" + std::to_string(random_() % 100);
            record.flags = {items_[number].flag};
            changed.push_back(record);
        }
        return [changed, folder = folder_](Ledger& ledger) {
            return ledger.update_flags(folder, changed);
        };
    }

    Step open() {
        intent_ = GroupId{(std::int64_t{index_} << 32) + ++groups_};
        IntentRecord intent{intent_, folder_, "t1", 1, 1, {}};
        for (auto const number : some(Place::spooled, 20)) {
            auto item = item_of(folder_, items_[number].id, number);
            items_[number].place = Place::sending;
            intent.items.push_back(item);
        }
        for (auto left = random_() % 40 + 1; left > 0; --left) {
            intent.items.push_back(make(free_number(), false));
            auto const& item = intent.items.back();
            items_[item.number] = {item.id, Place::sending, false, ""};
        }
        return [intent](Ledger& ledger) { return ledger.open_intent(intent); };
    }

    Step close() {
        std::vector<StoredRecord> stored;
        std::vector<ItemRecord> failed;
        for (auto item = items_.begin(); item != items_.end();) {
            auto& [number, state] = *item;
            auto const here = item++;
            if (state.place != Place::sending) continue;
            auto const outcome = random_() % 10;
            if (outcome < 7) {
                stored.push_back(stored_of(number));
                state = {state.id, Place::stored, false, "\\Seen"};
            } else if (outcome == 7) {
                failed.push_back(failed_item_of(folder_, state.id, number));
                state = {state.id, Place::failed, false, ""};
            } else if (state.located) {
                state.place = Place::spooled;
            } else {
                items_.erase(here);
            }
        }
        auto const group = std::exchange(intent_, GroupId{});
        return [group, stored, failed](Ledger& ledger) {
            return ledger.close_intent(group, "t1", stored, failed);
        };
    }

    std::mt19937_64 random_;
    unsigned index_;
    FolderId folder_;
    std::map<std::uint64_t, ModelItem> items_;
    GroupId intent_{};
    std::uint64_t ids_ = 0;
    std::int64_t groups_ = 0;
};

Picture picture_of(OpenLedger& open, FolderId folder) {
    Picture lines;
    for (auto const& record : *open(open.ledger->stored(folder, 0, ~std::uint64_t{0})))
        lines[record.number] = line_of(Place::stored, false, record.flags.at(0));
    for (auto const& item : *open(open.ledger->live_items(open.pair)))
        if (item.folder == folder)
            lines[item.number] =
                line_of(item.state == ItemState::spooled ? Place::spooled : Place::sending,
                        item.location.segment != 0, "");
    for (auto const& failed : *open(open.ledger->failed_items("", 100'000)))
        if (failed.item.folder == folder)
            lines[failed.item.number] = line_of(Place::failed, false, "");
    std::size_t known = 0;
    for (auto const& run : *open(open.ledger->known_numbers(folder)))
        known += run.last - run.first + 1;
    EXPECT_EQ(known, lines.size());
    return lines;
}

std::string difference(Picture const& expected, Picture const& found) {
    std::ostringstream out;
    for (auto const& [number, line] : expected) {
        auto const other = found.find(number);
        if (other == found.end()) out << number << ": missing, was " << line << '\n';
        else if (other->second != line)
            out << number << ": " << other->second << ", was " << line << '\n';
    }
    for (auto const& [number, line] : found)
        if (!expected.contains(number)) out << number << ": surplus " << line << '\n';
    return out.str();
}

awaitable<void> play(OpenLedger& open, unsigned seed, unsigned index, FolderId folder, int report) {
    Script script(seed, index, folder);
    for (std::uint64_t i = 0; i < operations_max; ++i) {
        auto const step = script.next();
        auto const done = co_await step(*open.ledger);
        auto const letter = static_cast<char>(done ? 'a' + index : 'A' + index);
        if (::write(report, &letter, 1) != 1) ::_exit(1);
    }
}

[[noreturn]] void run_child(std::filesystem::path const& file, unsigned seed,
                            std::vector<FolderId> const& folders, int report) {
    OpenLedger open(file);
    for (unsigned index = 0; index < folders_at_once; ++index)
        asio::co_spawn(open.context, play(open, seed, index, folders[index], report),
                       asio::detached);
    open.context.restart();
    open.context.run();
    ::_exit(0);
}

std::vector<FolderId> make_folders(std::filesystem::path const& file) {
    OpenLedger open(file);
    std::vector<FolderId> folders;
    for (unsigned index = 0; index < folders_at_once; ++index)
        folders.push_back(
            *open(open.ledger->save_folder(folder_of(open.pair, "F" + std::to_string(index)))));
    open.close();
    return folders;
}

/// Kills the child at a seeded moment and returns how many operations it reported per folder.
std::vector<std::uint64_t> kill_at_random(std::filesystem::path const& file, unsigned seed,
                                          std::vector<FolderId> const& folders) {
    std::vector<std::uint64_t> reported(folders_at_once, 0);
    int ends[2] = {};
    EXPECT_EQ(::pipe(ends), 0);
    auto const child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        run_child(file, seed, folders, ends[1]);
    }
    ::close(ends[1]);
    std::mt19937_64 random(seed);
    auto const kill_after = random() % (folders_at_once * operations_max);
    char letter = 0;
    for (std::uint64_t count = 0; ::read(ends[0], &letter, 1) == 1; ++count) {
        EXPECT_TRUE(letter >= 'a' && letter < 'a' + static_cast<char>(folders_at_once))
            << "an operation failed: " << letter;
        ++reported[static_cast<std::size_t>(letter - 'a') % folders_at_once];
        if (count != kill_after) continue;
        ::usleep(static_cast<useconds_t>(random() % 3000));
        ::kill(child, SIGKILL);
    }
    ::close(ends[0]);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
                (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        << "the child ended otherwise than by the kill: status=" << status;
    return reported;
}

unsigned seeds_to_run() {
    auto const* const set = std::getenv("MAILFERRY_CRASH_SEEDS");
    return set == nullptr ? 5 : static_cast<unsigned>(std::strtoul(set, nullptr, 10));
}

// Goal: every acknowledged operation is in the ledger after SIGKILL, and no half of any other.
// Method: a child plays seeded operations in four folders at once and reports each one that
// resolved; killed at a random moment, each folder must look as after the last reported operation,
// or as after the one that was under way. Each seed is a replay but for the moment of the kill.
TEST(LedgerCrashTest, AcknowledgedOperationsSurviveAKill) {
    for (unsigned seed = 1; seed <= seeds_to_run(); ++seed) {
        SCOPED_TRACE("seed=" + std::to_string(seed));
        ScratchDirectory scratch;
        auto const folders = make_folders(scratch.file());
        auto const reported = kill_at_random(scratch.file(), seed, folders);
        OpenLedger open(scratch.file());
        for (unsigned index = 0; index < folders_at_once; ++index) {
            SCOPED_TRACE("folder=" + std::to_string(index) +
                         " reported=" + std::to_string(reported[index]));
            Script script(seed, index, folders[index]);
            for (std::uint64_t i = 0; i < reported[index]; ++i) script.next();
            auto const found = picture_of(open, folders[index]);
            auto const acknowledged = difference(script.picture(), found);
            if (acknowledged.empty()) continue;
            script.next();
            EXPECT_EQ(difference(script.picture(), found), "") << "nor is it\n" << acknowledged;
        }
    }
}

}  // namespace
}  // namespace mailferry::store
