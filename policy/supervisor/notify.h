/*
 * What the service manager is told of the service's state (sd_notify(3)). Nothing, where there is
 * none or sallyportd was built without libsystemd.
 */
#ifndef SALLYPORT_POLICY_SUPERVISOR_NOTIFY_H
#define SALLYPORT_POLICY_SUPERVISOR_NOTIFY_H

/* It serves; again, after a reload. */
void notify_ready(void);

/* It reads the configuration again; notify_ready() follows, whether or not that went well. */
void notify_reloading(void);

/* It ends, and may take its time over it. */
void notify_stopping(void);

#endif
