#include "adapters/web/sessions.h"

#include <algorithm>

#include "broker/crypto/digest.h"

namespace flagpost::web {
namespace {

std::string hashed(const std::string& cookie) { return to_hex(crypto::sha256(view(cookie))); }

template <class Map, class Age> void drop_oldest(Map& map, Age age) {
    const auto oldest =
        std::ranges::min_element(map, {}, [&](const auto& entry) { return age(entry.second); });
    if (oldest != map.end()) map.erase(oldest);
}

}  // namespace

bool Sessions::alive(const Session& session, Instant now) const {
    const auto idle = session.whole ? std::chrono::minutes{idle_max} : code_patience;
    return now < session.used + idle && now < session.began + session_max;
}

void Sessions::make_room(const std::string& person, Instant now) {
    std::erase_if(sessions_, [&](const auto& entry) { return now >= entry.second.used + 2 * idle_max; });
    const auto of_person = [&](const auto& entry) { return entry.second.person == person; };
    while (static_cast<std::size_t>(std::ranges::count_if(sessions_, of_person)) >= sessions_per_person_max) {
        auto oldest = sessions_.end();
        for (auto it = sessions_.begin(); it != sessions_.end(); ++it)
            if (of_person(*it) && (oldest == sessions_.end() || it->second.used < oldest->second.used))
                oldest = it;
        sessions_.erase(oldest);
    }
    if (sessions_.size() >= sessions_max)
        drop_oldest(sessions_, [](const Session& session) { return session.used; });
}

Sessions::Opened Sessions::open(const std::string& person, bool whole, Instant now,
                                std::optional<Instant> last_time) {
    const std::lock_guard lock{lock_};
    make_room(person, now);
    const std::string cookie = to_hex(random_.bytes<32>());
    Session session{person, whole, to_hex(random_.bytes<32>()), now, now, last_time};
    sessions_.insert_or_assign(hashed(cookie), session);
    return {cookie, session};
}

std::optional<Session> Sessions::use(const std::string& cookie, Instant now) {
    if (!look(cookie, now)) return std::nullopt;
    const std::lock_guard lock{lock_};
    const auto found = sessions_.find(hashed(cookie));
    if (found == sessions_.end()) return std::nullopt;
    found->second.used = now;
    return found->second;
}

std::optional<Session> Sessions::look(const std::string& cookie, Instant now) {
    if (cookie.empty()) return std::nullopt;
    const std::lock_guard lock{lock_};
    const auto found = sessions_.find(hashed(cookie));
    if (found == sessions_.end() || !alive(found->second, now)) return std::nullopt;
    return found->second;
}

void Sessions::close(const std::string& cookie) {
    const std::lock_guard lock{lock_};
    sessions_.erase(hashed(cookie));
}

void Sessions::close_all_of(const std::string& person) {
    const std::lock_guard lock{lock_};
    std::erase_if(sessions_, [&](const auto& entry) { return entry.second.person == person; });
}

std::optional<Session> Sessions::ended(const std::string& cookie, Instant now) {
    if (cookie.empty()) return std::nullopt;
    const std::lock_guard lock{lock_};
    const auto found = sessions_.find(hashed(cookie));
    if (found == sessions_.end() || alive(found->second, now) || !found->second.whole) return std::nullopt;
    if (now >= found->second.used + 2 * idle_max) return std::nullopt;
    return found->second;
}

void Sessions::keep(const std::string& person, KeptForm form) {
    const std::lock_guard lock{lock_};
    if (kept_.size() >= sessions_max) drop_oldest(kept_, [](const KeptForm& each) { return each.kept; });
    kept_.insert_or_assign(person, std::move(form));
}

std::optional<std::string> Sessions::kept_path(const std::string& person, Instant now) {
    const std::lock_guard lock{lock_};
    const auto found = kept_.find(person);
    if (found == kept_.end() || now >= found->second.kept + idle_max) return std::nullopt;
    return found->second.path;
}

std::optional<KeptForm> Sessions::take_kept(const std::string& person, Instant now) {
    const std::lock_guard lock{lock_};
    const auto found = kept_.find(person);
    if (found == kept_.end()) return std::nullopt;
    KeptForm form = std::move(found->second);
    kept_.erase(found);
    if (now >= form.kept + idle_max) return std::nullopt;
    return form;
}

bool Throttle::waits(const std::string& name, Instant now) {
    const std::lock_guard lock{lock_};
    const auto found = counts_.find(name);
    if (found == counts_.end()) return false;
    if (now >= found->second.last + attempts_wait) {
        counts_.erase(found);
        return false;
    }
    return found->second.failures >= attempts_max;
}

void Throttle::failed(const std::string& name, Instant now) {
    const std::lock_guard lock{lock_};
    if (counts_.size() >= names_watched_max)
        drop_oldest(counts_, [](const Count& count) { return count.last; });
    auto& count = counts_[name];
    ++count.failures;
    count.last = now;
}

void Throttle::succeeded(const std::string& name) {
    const std::lock_guard lock{lock_};
    counts_.erase(name);
}

bool Throttle::first_use(const std::string& name, std::int64_t step) {
    const std::lock_guard lock{lock_};
    auto& last = steps_[name];
    if (step <= last) return false;
    last = step;
    return true;
}

}  // namespace flagpost::web
