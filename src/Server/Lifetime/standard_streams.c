/* Opens /dev/null as each of the descriptors 0 to 2 that the parent process closed (2>&-), before the runtime opens its first file.
   Otherwise that file becomes descriptor 2, and log lines go into it. */

#include <fcntl.h>
#include <unistd.h>

__attribute__((constructor)) static void open_standard_streams(void)
{
    int descriptor;
    do
        descriptor = open("/dev/null", O_RDWR);
    while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor > STDERR_FILENO)
        close(descriptor);
}
