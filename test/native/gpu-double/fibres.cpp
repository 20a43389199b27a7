// Owns: threads of a block on a processor, as fibres. Those that never wait share one.
// Must not know: CUDA, kernels.

#include "fibres.h"

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

#if defined(__x86_64__)
// Saves what a call must keep on the stack, and the stack's pointer in *from; goes on with another stack. The
// C library's swapcontext is a system call, a hundred times slower.
asm(R"(
.text
.local gpu_double_switch
gpu_double_switch:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
)");
extern "C" void gpu_double_switch(void** from, void* to);
#endif

namespace gpu_double {
namespace {

/// The address sanitizer's frames are large.
constexpr size_t kStackBytes = size_t{128} << 10;

/// A place in a computation, with its stack.
class Context {
 public:
  /// The one that runs already.
  Context() = default;
  explicit Context(void (*entry)()) : stack_(new char[kStackBytes]) {
    low_ = stack_.get();
    bytes_ = kStackBytes;
#if defined(__x86_64__)
    const auto top = (reinterpret_cast<uintptr_t>(low_) + kStackBytes) & ~uintptr_t{15};
    auto** at = reinterpret_cast<void**>(top);
    *--at = nullptr; // where entry would return to
    *--at = reinterpret_cast<void*>(entry);
    for (int i = 0; i < 6; i++) *--at = nullptr;
    place_ = at;
#else
    getcontext(&place_);
    place_.uc_stack.ss_sp = stack_.get();
    place_.uc_stack.ss_size = kStackBytes;
    makecontext(&place_, entry, 0);
#endif
#if defined(__SANITIZE_THREAD__)
    sanitizer_ = __tsan_create_fiber(0);
#endif
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// To be called first by what a context enters. @param from what it was entered from
  static void entered([[maybe_unused]] Context& from, [[maybe_unused]] void* fake_stack) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fake_stack, &from.low_, &from.bytes_);
#endif
  }

  /// Returns when something goes on with this one again; `by` is what did.
  void go_on_with(Context& other, Context& by) {
    void* fake_stack = nullptr;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&fake_stack, other.low_, other.bytes_);
#endif
#if defined(__SANITIZE_THREAD__)
    if (stack_ == nullptr) sanitizer_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(other.sanitizer_, 0);
#endif
#if defined(__x86_64__)
    gpu_double_switch(&place_, other.place_);
#else
    swapcontext(&place_, &other.place_);
#endif
    entered(by, fake_stack);
  }

 private:
  std::unique_ptr<char[]> stack_;
  /// Bounds of the stack.
  const void* low_ = nullptr;
  size_t bytes_ = 0;
#if defined(__x86_64__)
  void* place_ = nullptr;
#else
  ucontext_t place_;
#endif
#if defined(__SANITIZE_THREAD__)
  void* sanitizer_ = nullptr;
#endif
};

void serve();

struct Fibre {
  Context context{serve};
  unsigned thread = 0;
  bool is_waiting = false;
};

struct Round {
  const Team* team = nullptr;
  /// In their order; those before `next` have begun.
  std::vector<unsigned> threads;
  size_t next = 0;
  Context caller;
  Fibre* running = nullptr;
};

Round round;

/// Never destroyed: fibres never end.
std::deque<Fibre>& fibres() {
  static auto* const all = new std::deque<Fibre>;
  return *all;
}

void leave() {
  Fibre& self = *round.running;
  self.context.go_on_with(round.caller, round.caller);
}

/// A fibre's life: one thread after another, as long as there are some that have not begun.
void serve() {
  Context::entered(round.caller, nullptr);
  for (;;) {
    while (round.next < round.threads.size()) {
      round.running->thread = round.threads[round.next++];
      round.team->enter(round.running->thread);
      round.team->run();
    }
    leave();
  }
}

void resume(Fibre& fibre) {
  round.running = &fibre;
  round.caller.go_on_with(fibre.context, fibre.context);
}

/// Those of a list that wait, by their threads.
std::vector<Fibre*> waiting(size_t threads) {
  std::vector<Fibre*> found(threads, nullptr);
  for (Fibre& fibre : fibres()) {
    if (fibre.is_waiting) found[fibre.thread] = &fibre;
  }
  return found;
}

size_t waiting_count() {
  size_t count = 0;
  for (const Fibre& fibre : fibres()) count += fibre.is_waiting ? 1 : 0;
  return count;
}

} // namespace

bool run_team(const Team& team, unsigned threads) {
  round.team = &team;
  round.threads.resize(threads);
  for (unsigned i = 0; i < threads; i++) round.threads[i] = i;
  team.order(round.threads);
  round.next = 0;
  for (size_t fibre = 0; round.next < threads; fibre++) {
    if (fibre == fibres().size()) fibres().emplace_back();
    resume(fibres()[fibre]);
  }
  bool all_met = true;
  for (size_t left = waiting_count(), before = threads; left > 0; before = left, left = waiting_count()) {
    all_met = all_met && left == before;
    const std::vector<Fibre*> of = waiting(threads);
    std::vector<unsigned> order = round.threads;
    team.order(order);
    for (const unsigned thread : order) {
      if (of[thread] != nullptr) resume(*of[thread]);
    }
  }
  return all_met;
}

void wait_for_team() {
  Fibre& self = *round.running;
  self.is_waiting = true;
  leave();
  self.is_waiting = false;
  round.team->enter(self.thread);
}

} // namespace gpu_double
