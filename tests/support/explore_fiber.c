/* explore_fiber.c - stacks of their own for the threads of a model, for x86-64 and aarch64. A
 * switch saves what a called function must preserve and nothing else: the floating-point control
 * word and the signal mask are the same for all. */
#include <string.h>

#include "tests/support/explore_internal.h"

#if defined(__x86_64__)

/* rbp rbx r12 r13 r14 r15, then the return address. */
#    define SAVED_WORDS 6

__asm__(".text\n"
        ".globl explore_fiber_switch\n"
        ".type explore_fiber_switch, @function\n"
        "explore_fiber_switch:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size explore_fiber_switch, . - explore_fiber_switch\n");

void *
explore_fiber_make(void *stack, size_t bytes, void (*body)(void))
{
    /* The body finds the stack as after a call: 8 bytes off a multiple of 16. */
    uintptr_t *frame = (uintptr_t *)(void *)((unsigned char *)stack + bytes) - (2 + SAVED_WORDS);
    memset(frame, 0, sizeof(*frame) * (2 + SAVED_WORDS));
    frame[SAVED_WORDS] = (uintptr_t)body;
    return frame;
}

#elif defined(__aarch64__)

/* x19 to x30 and d8 to d15; x30 is the return address. */
#    define SAVED_WORDS 20
#    define RETURN_WORD 11

__asm__(".text\n"
        ".globl explore_fiber_switch\n"
        ".type explore_fiber_switch, %function\n"
        "explore_fiber_switch:\n"
        "    sub sp, sp, #160\n"
        "    stp x19, x20, [sp, #0]\n"
        "    stp x21, x22, [sp, #16]\n"
        "    stp x23, x24, [sp, #32]\n"
        "    stp x25, x26, [sp, #48]\n"
        "    stp x27, x28, [sp, #64]\n"
        "    stp x29, x30, [sp, #80]\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    mov x9, sp\n"
        "    str x9, [x0]\n"
        "    mov sp, x1\n"
        "    ldp x19, x20, [sp, #0]\n"
        "    ldp x21, x22, [sp, #16]\n"
        "    ldp x23, x24, [sp, #32]\n"
        "    ldp x25, x26, [sp, #48]\n"
        "    ldp x27, x28, [sp, #64]\n"
        "    ldp x29, x30, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n"
        "    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n"
        "    ldp d14, d15, [sp, #144]\n"
        "    add sp, sp, #160\n"
        "    ret\n"
        ".size explore_fiber_switch, . - explore_fiber_switch\n");

void *
explore_fiber_make(void *stack, size_t bytes, void (*body)(void))
{
    uintptr_t *frame = (uintptr_t *)(void *)((unsigned char *)stack + bytes) - SAVED_WORDS;
    memset(frame, 0, sizeof(*frame) * SAVED_WORDS);
    frame[RETURN_WORD] = (uintptr_t)body;
    return frame;
}

#else
#    error "explore_fiber.c: this CPU has no switch yet"
#endif
