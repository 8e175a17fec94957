/* SPDX-License-Identifier: BSL-1.0 */
/* The program whose start is measured. */
int main(void)
{
    return 0;
}
