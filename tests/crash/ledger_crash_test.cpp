#include "tests/crash/crash_seeds.hpp"
#include "tests/support/ledger_values.hpp"

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <sstream>

namespace mailferry::store {
namespace {

constexpr unsigned folders_at_once = 4;
constexpr std::uint64_t operations_max = 150;

/// A folder in a pair of its own, so that names get the same numbers however the folders take
/// turns, and another folder that names move to.
struct Scene {
    PairId pair{};
    FolderId folder{}, other{};
};

struct Row {
    ItemId id{};
    ItemState state = ItemState::spooled;
    bool located = false;
    std::uint64_t version = 0;
    std::uint64_t replaces = 0;
};

struct Stored {
    std::string flag;
    std::uint64_t version = 0;
    std::uint64_t target = 0;
    std::string target_name;
};

struct Name {
    std::uint64_t number = 0;
    bool moved = false;
};

/// One line an item or name: what the ledger must tell of a folder.
using Picture = std::map<std::string, std::string>;

std::string line_of(Row const& row) {
    static constexpr std::string_view names[] = {"spooled", "sending", "failed"};
    return std::string(names[static_cast<std::size_t>(row.state)]) +
           (row.located ? " located" : "") + " version=" + std::to_string(row.version) +
           " replaces=" + std::to_string(row.replaces);
}

std::string line_of(Stored const& stored) {
    return "stored " + stored.flag + " version=" + std::to_string(stored.version) +
           " target=" + std::to_string(stored.target) + " " + stored.target_name;
}

std::string line_of(Name const& name) {
    return std::to_string(name.number) + (name.moved ? " moved" : "");
}

/// Any name that a script may give a number to.
std::vector<std::string> all_names() {
    std::vector<std::string> names;
    for (int i = 0; i < 300; ++i)
        names.push_back("an item's name of some length " + std::to_string(i));
    return names;
}

/// A seeded list of operations on one folder, and what the folder holds after each. The child
/// applies it to the ledger; the parent replays it in its mind.
class Script {
public:
    using Step = std::function<awaitable<Result<void>>(Ledger&)>;

    Script(unsigned seed, unsigned index, Scene scene)
        : random_(seed * 100 + index), index_(index), scene_(scene) {}

    /// The next operation; the model is already behind it.
    Step next() {
        switch (random_() % 11) {
        case 0:
        case 1: return spool();
        case 2: return fail();
        case 3: return lose();
        case 4: return change_flags();
        case 5:
        case 6: return number_names();
        case 7: return move_names();
        default: return intent_ == GroupId{} ? open() : close();
        }
    }

    Picture picture() const {
        Picture lines;
        for (auto const& [number, row] : rows_)
            lines["row " + std::to_string(number)] = line_of(row);
        for (auto const& [number, stored] : stored_)
            lines["stored " + std::to_string(number)] = line_of(stored);
        for (auto const& [name, known] : names_) lines[name] = line_of(known);
        return lines;
    }

private:
    /// Into the model, too.
    ItemRecord make(std::uint64_t number, std::uint64_t replaces, ItemState state, bool located) {
        auto const id = ItemId{(std::uint64_t{index_} << 32) + ++ids_};
        rows_[number] = {id, state, located, ++versions_, replaces};
        return record_of(number);
    }

    ItemRecord record_of(std::uint64_t number) {
        auto const& row = rows_.at(number);
        auto item = row.located ? item_of(scene_.folder, row.id, number)
                                : hot_item_of(scene_.folder, row.id, number);
        item.fingerprint = row.version;
        item.replaces = row.replaces;
        return item;
    }

    ItemRecord fail_row(std::uint64_t number) {
        auto& row = rows_.at(number);
        row.state = ItemState::failed;
        row.located = false;
        return failed_item_of(scene_.folder, row.id, number);
    }

    /// Numbers come in no order, and come back after they were forgotten.
    std::uint64_t free_number() {
        for (;;) {
            auto const number = random_() % 4000 + 1;
            if (!rows_.contains(number) && !stored_.contains(number)) return number;
        }
    }

    std::vector<std::uint64_t> some(ItemState state, std::size_t count) {
        std::vector<std::uint64_t> found;
        for (auto const& [number, row] : rows_)
            if (row.state == state && random_() % 2 == 0 && found.size() < count)
                found.push_back(number);
        return found;
    }

    std::vector<std::uint64_t> some_stored(std::size_t count) {
        std::vector<std::uint64_t> found;
        for (auto const& [number, stored] : stored_)
            if (random_() % 4 == 0 && found.size() < count) found.push_back(number);
        return found;
    }

    /// Newer states of stored items, also where an earlier one has failed.
    void add_updates(std::vector<ItemRecord>& items, std::size_t count, ItemState state,
                     bool located) {
        for (auto const number : some_stored(count)) {
            auto const row = rows_.find(number);
            if (row == rows_.end() || row->second.state == ItemState::failed)
                items.push_back(make(number, stored_.at(number).target, state, located));
        }
    }

    Step spool() {
        std::vector<ItemRecord> items;
        for (auto left = random_() % 8 + 1; left > 0; --left)
            items.push_back(make(free_number(), 0, ItemState::spooled, true));
        add_updates(items, 4, ItemState::spooled, true);
        return [items](Ledger& ledger) { return ledger.record_spooled(items); };
    }

    Step fail() {
        std::vector<ItemRecord> items;
        for (auto const number : some(ItemState::spooled, 2)) items.push_back(fail_row(number));
        return [items](Ledger& ledger) { return ledger.record_failed(items); };
    }

    Step lose() {
        std::vector<ItemId> lost;
        for (auto const number : some(ItemState::spooled, 2)) {
            lost.push_back(rows_[number].id);
            rows_.erase(number);
        }
        for (auto const number : some(ItemState::sending, 1)) {
            lost.push_back(rows_[number].id);
            rows_[number].located = false;
        }
        return [lost](Ledger& ledger) { return ledger.forget_spooled(lost); };
    }

    Step change_flags() {
        std::vector<StoredRecord> changed;
        for (auto const number : some_stored(5)) {
            auto record = stored_of(number);
            auto& stored = stored_[number];
            stored.flag = "f" + std::to_string(random_() % 100);
            stored.version = ++versions_;
            record.flags = {stored.flag};
            record.fingerprint = stored.version;
            changed.push_back(record);
        }
        return [changed, folder = scene_.folder](Ledger& ledger) {
            return ledger.update_flags(folder, changed);
        };
    }

    std::vector<std::string> some_names() {
        static auto const all = all_names();
        std::vector<std::string> names;
        for (auto left = random_() % 8 + 1; left > 0; --left)
            names.push_back(all[random_() % all.size()]);
        return names;
    }

    Step number_names() {
        auto const names = some_names();
        for (auto const& name : names) names_.try_emplace(name, Name{names_.size() + 1, false});
        return [names, folder = scene_.folder](Ledger& ledger) -> awaitable<Result<void>> {
            auto const numbered = co_await ledger.number_items(folder, names);
            if (!numbered) co_return numbered.error();
            co_return Result<void>{};
        };
    }

    Step move_names() {
        auto const names = some_names();
        for (auto const& name : names)
            if (names_.contains(name)) names_[name].moved = true;
        return [names, folder = scene_.other](Ledger& ledger) {
            return ledger.rehome_items(folder, names);
        };
    }

    Step open() {
        intent_ = GroupId{(std::int64_t{index_} << 32) + ++groups_};
        IntentRecord intent{intent_, scene_.folder, "t1", 1, 1, {}};
        for (auto const number : some(ItemState::spooled, 20)) {
            intent.items.push_back(record_of(number));
            rows_[number].state = ItemState::sending;
        }
        add_updates(intent.items, 10, ItemState::sending, false);
        for (auto left = random_() % 40 + 1; left > 0; --left)
            intent.items.push_back(make(free_number(), 0, ItemState::sending, false));
        return [intent](Ledger& ledger) { return ledger.open_intent(intent); };
    }

    /// As a target that names its items answers: a new name for some updates, the former for
    /// others.
    StoredRecord store_row(std::uint64_t number) {
        auto const& row = rows_.at(number);
        auto& stored = stored_[number];
        bool const in_place = row.replaces != 0 && random_() % 2 == 0;
        if (!in_place) {
            stored.target = ++targets_;
            stored.target_name = "the target's name of " + std::to_string(random_());
        }
        stored.flag = "\\Seen";
        stored.version = row.version;
        auto record = stored_of(number);
        record.target_number = 0;
        record.target_name = stored.target_name;
        record.fingerprint = row.version;
        rows_.erase(number);
        return record;
    }

    Step close() {
        std::vector<StoredRecord> stored;
        std::vector<ItemRecord> failed;
        for (auto next = rows_.begin(); next != rows_.end();) {
            auto& [number, row] = *next++;
            if (row.state != ItemState::sending) continue;
            auto const outcome = random_() % 10;
            if (outcome < 7)
                stored.push_back(store_row(number));
            else if (outcome == 7)
                failed.push_back(fail_row(number));
            else if (row.located)
                row.state = ItemState::spooled;
            else
                rows_.erase(number);
        }
        auto const group = std::exchange(intent_, GroupId{});
        return [group, stored, failed](Ledger& ledger) {
            return ledger.close_intent(group, "t1", stored, failed);
        };
    }

    std::mt19937_64 random_;
    unsigned index_;
    Scene scene_;
    std::map<std::uint64_t, Row> rows_;
    std::map<std::uint64_t, Stored> stored_;  ///< May have a row, too: a newer state.
    std::map<std::string, Name> names_;
    GroupId intent_{};
    std::uint64_t ids_ = 0, versions_ = 0, targets_ = 0;
    std::int64_t groups_ = 0;
};

Row row_of(ItemRecord const& item) {
    return {item.id, item.state, item.location.segment != 0, item.fingerprint, item.replaces};
}

/// Once a ledger: names that have no number get one.
Picture picture_of(OpenLedger& open, Scene const& scene) {
    Picture lines;
    std::set<std::uint64_t> numbers;
    auto const add = [&](ItemRecord const& item) {
        if (item.folder != scene.folder) return;
        lines["row " + std::to_string(item.number)] = line_of(row_of(item));
        numbers.insert(item.number);
    };
    for (auto const& item : *open(open.ledger->live_items(scene.pair))) add(item);
    for (auto const& failed : *open(open.ledger->failed_items("", 100'000))) add(failed.item);
    for (auto const& record : *open(open.ledger->stored(scene.folder, 0, ~std::uint64_t{0}))) {
        auto const name =
            open(open.ledger->target_names(scene.folder, {record.target_number}))->at(0);
        lines["stored " + std::to_string(record.number)] =
            line_of(Stored{record.flags.at(0), record.fingerprint, record.target_number, name});
        numbers.insert(record.number);
    }
    std::size_t known = 0;
    for (auto const& run : *open(open.ledger->known_numbers(scene.folder)))
        known += run.last - run.first + 1;
    EXPECT_EQ(known, numbers.size());
    for (auto const& item : *open(open.ledger->number_items(scene.folder, all_names())))
        if (!item.is_new) lines[item.name] = line_of(Name{item.number, item.folder == scene.other});
    return lines;
}

std::string difference(Picture const& expected, Picture const& found) {
    std::ostringstream out;
    for (auto const& [what, line] : expected) {
        auto const other = found.find(what);
        if (other == found.end())
            out << what << ": missing, was " << line << '\n';
        else if (other->second != line)
            out << what << ": " << other->second << ", was " << line << '\n';
    }
    for (auto const& [what, line] : found)
        if (!expected.contains(what)) out << what << ": surplus " << line << '\n';
    return out.str();
}

awaitable<void> play(OpenLedger& open, unsigned seed, unsigned index, Scene scene, int report) {
    Script script(seed, index, scene);
    for (std::uint64_t i = 0; i < operations_max; ++i) {
        auto const step = script.next();
        auto const done = co_await step(*open.ledger);
        auto const letter = static_cast<char>(done ? 'a' + index : 'A' + index);
        if (::write(report, &letter, 1) != 1) ::_exit(1);
    }
}

[[noreturn]] void run_child(std::filesystem::path const& file, unsigned seed,
                            std::vector<Scene> const& scenes, int report) {
    OpenLedger open(file);
    for (unsigned index = 0; index < folders_at_once; ++index)
        asio::co_spawn(open.context, play(open, seed, index, scenes[index], report),
                       asio::detached);
    open.context.restart();
    open.context.run();
    ::_exit(0);
}

std::vector<Scene> make_scenes(std::filesystem::path const& file) {
    OpenLedger open(file);
    std::vector<Scene> scenes;
    for (unsigned index = 0; index < folders_at_once; ++index) {
        auto const user = std::to_string(index);
        auto const pair =
            open(open.ledger->open_pair("merger", user + "@old.example", user + "@new.example"))
                ->id;
        auto const folder = *open(open.ledger->save_folder(folder_of(pair, "INBOX")));
        auto const other = *open(open.ledger->save_folder(folder_of(pair, "Other")));
        scenes.push_back({pair, folder, other});
    }
    open.close();
    return scenes;
}

struct ChildEnd {
    std::vector<std::uint64_t> reported = std::vector<std::uint64_t>(folders_at_once, 0);
    bool killed = false;  ///< And not too late.
};

/// Kills the child at a seeded moment and returns how many operations it reported per folder.
ChildEnd kill_at_random(std::filesystem::path const& file, unsigned seed,
                        std::vector<Scene> const& scenes) {
    ChildEnd end;
    int ends[2] = {};
    EXPECT_EQ(::pipe(ends), 0);
    auto const child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        run_child(file, seed, scenes, ends[1]);
    }
    ::close(ends[1]);
    std::mt19937_64 random(seed);
    auto const kill_after = random() % (folders_at_once * operations_max);
    char letter = 0;
    for (std::uint64_t count = 0; ::read(ends[0], &letter, 1) == 1; ++count) {
        EXPECT_TRUE(letter >= 'a' && letter < 'a' + static_cast<char>(folders_at_once))
            << "an operation failed: " << letter;
        ++end.reported[static_cast<std::size_t>(letter - 'a') % folders_at_once];
        if (count != kill_after) continue;
        ::usleep(static_cast<useconds_t>(random() % 3000));
        ::kill(child, SIGKILL);
    }
    ::close(ends[0]);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    end.killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    EXPECT_TRUE(end.killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        << "the child ended otherwise than by the kill: status=" << status;
    return end;
}

// Goal: every acknowledged operation is in the ledger after SIGKILL, and no half of any other.
// Method: a child plays seeded operations in four folders at once and reports each one that
// resolved; killed at a random moment, each folder must look as after the last reported operation,
// or as after the one that was under way. Each seed is a replay but for the moment of the kill.
TEST(LedgerCrashTest, AcknowledgedOperationsSurviveAKill) {
    unsigned kills = 0;
    for (unsigned seed = 1; seed <= test::crash_seeds(); ++seed) {
        SCOPED_TRACE("seed=" + std::to_string(seed));
        ScratchDirectory scratch;
        auto const scenes = make_scenes(scratch.file());
        auto const [reported, killed] = kill_at_random(scratch.file(), seed, scenes);
        kills += killed ? 1 : 0;
        OpenLedger open(scratch.file());
        for (unsigned index = 0; index < folders_at_once; ++index) {
            SCOPED_TRACE("folder=" + std::to_string(index) +
                         " reported=" + std::to_string(reported[index]));
            Script script(seed, index, scenes[index]);
            for (std::uint64_t i = 0; i < reported[index]; ++i) script.next();
            auto const found = picture_of(open, scenes[index]);
            auto const acknowledged = difference(script.picture(), found);
            if (acknowledged.empty()) continue;
            script.next();
            EXPECT_EQ(difference(script.picture(), found), "") << "nor is it\n" << acknowledged;
        }
    }
    EXPECT_GT(kills, 0U) << "every child was done before its kill";
}

}  // namespace
}  // namespace mailferry::store
