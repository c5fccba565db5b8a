// operator_new.cc - a C++ library that a C host links beside Leat (malloc_owner.c).
#include <cstddef>
#include <new>

extern "C" void *operator_new_address();

void *
operator_new_address()
{
    void *(*function)(std::size_t) = &::operator new;
    return reinterpret_cast<void *>(function);
}
