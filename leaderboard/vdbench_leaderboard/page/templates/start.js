// Last: show what the address asks for.

read();
notify();
